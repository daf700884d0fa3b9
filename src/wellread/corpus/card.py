"""`card.md`: a corpus as a dataset card of the Hugging Face hub."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from wellread.base.text import human_bytes, marked_markdown, plain_markdown
from wellread.formats.corpus_report import CorpusReport
from wellread.formats.published import paper

# The hub's size categories: each from the power of ten before it.
SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)
LANGUAGE = re.compile(r"(?!un$)[a-z]{2,3}")  # ISO 639; "un": unknown
LANGUAGE_SHARE = 0.01  # of the text, from which the card names a language
DOMAINS_SHOWN = 20
COLUMNS = {
    "url": "where the text is from; `file:NAME#RECORD` for one that came without an address",
    "domain": "the domain that somebody registered",
    "karma": "of the link that led there; null for a text that came without links",
    "language": "the main language, as a detector has it",
    "language_confidence": "the share of the text in that language",
    "split": "train, validation or test",
    "text": "the main text",
}
LOADING = {
    "parquet": """import daft, duckdb, polars
from datasets import load_dataset

documents = load_dataset("parquet", data_files="FOLDER/documents-*.parquet", split="train")
training = documents.filter(lambda row: row["split"] == "train")

daft.read_parquet("FOLDER/documents-*.parquet")
polars.scan_parquet("FOLDER/documents-*.parquet")
duckdb.sql("SELECT split, count(*) FROM 'FOLDER/documents-*.parquet' GROUP BY split")
""",
    "jsonl.zst": """import daft, duckdb, polars
from datasets import load_dataset

# This needs the package zstandard too.
documents = load_dataset("json", data_files="FOLDER/documents-*.jsonl.zst", split="train")
training = documents.filter(lambda row: row["split"] == "train")

daft.read_json("FOLDER/documents-*.jsonl.zst")
polars.scan_ndjson("FOLDER/documents-*.jsonl.zst")
duckdb.sql("SELECT split, count(*) FROM 'FOLDER/documents-*.jsonl.zst' GROUP BY split")
""",
}


def card(found: CorpusReport, config_plain: Mapping[str, Any], name: str) -> str:
    """The card of the corpus `name`, made with the settings `config_plain`.

    Its licence is said to be unknown: the texts are other people's.
    """
    form = str(config_plain.get("format", "parquet"))
    name = "".join(letter if letter.isprintable() else " " for letter in name)
    sections = [
        _head(found, name),
        f"# {plain_markdown(name)}\n\n{_what(found)}",
        f"## What is in it\n\n{_numbers(found)}\n\n{_columns()}",
        f"## How it was made\n\n{_made(found)}\n\n{_settings(config_plain)}",
        f"## What was left out\n\n{_steps(found)}",
        f"## Where it comes from\n\n{_domains(found)}",
    ]
    if found.demonstrations:
        sections.append(f"## Tasks that the text itself shows\n\n{_demonstrations(found)}")
    sections += [
        f"## Known limits\n\n{_limits(found)}",
        f"## How to load it\n\n{_loading(form)}",
    ]
    return "\n\n".join(sections) + "\n"


def size_category(documents: int) -> str:
    """
    >>> size_category(999), size_category(1000), size_category(8_000_000)
    ('n<1K', '1K<n<10K', '1M<n<10M')
    """
    return next((name for end, name in SIZES if documents < end), "n>1T")


def _head(found: CorpusReport, name: str) -> str:
    """The YAML that the hub reads; a string of JSON is one of YAML."""
    by_size = sorted(found.languages.items(), key=lambda item: (-item[1], item[0]))
    languages = [
        code
        for code, size in by_size
        if LANGUAGE.fullmatch(code) and size >= LANGUAGE_SHARE * found.num_bytes
    ]
    listed = "\n".join(["language:", *(f"- {_quoted(code)}" for code in languages)])
    return f"""---
{listed if languages else "language: []"}
license: unknown
pretty_name: {_quoted(name)}
task_categories:
- text-generation
size_categories:
- {size_category(found.documents)}
configs:
- config_name: default
  data_files: documents-*
---"""


def _quoted(text: str) -> str:
    """As YAML has it: `no` alone, Norwegian, would be false."""
    return msgspec.json.encode(text).decode()


def _what(found: CorpusReport) -> str:
    size = human_bytes(found.num_bytes)
    return (
        f"{found.documents:,} documents with {size} of text, chosen and cleaned by wellread as "
        "WebText, GPT-2's training set, is described to have been: the main text of pages, without "
        "duplicates.\n\n"
        "The texts belong to their authors. The program that wrote this page does not know under "
        "what licence each may be used; whoever publishes the corpus should state it here."
    )


def _numbers(found: CorpusReport) -> str:
    webtext = paper().webtext
    mean = human_bytes(found.num_bytes / found.documents) if found.documents else "–"
    french = found.languages.get("fr", 0)
    rows = [
        ["documents", f"{found.documents:,}", f"{webtext.num_documents:,}"],
        ["text", human_bytes(found.num_bytes), human_bytes(webtext.num_bytes)],
        ["mean length", mean, human_bytes(webtext.num_bytes / webtext.num_documents)],
        ["French in it", human_bytes(french), human_bytes(webtext.num_french_bytes)],
    ]
    if found.tokens is not None:
        rows.append(["tokens", f"{found.tokens:,}", "–"])
    rows += [[f"split `{name}`", f"{n:,} documents", "–"] for name, n in found.splits.items()]
    return _table(["", "here", "WebText (paper)"], rows, numbers=(1, 2))


def _columns() -> str:
    return _table(["column", "meaning"], [[f"`{name}`", what] for name, what in COLUMNS.items()])


def _made(found: CorpusReport) -> str:
    return (
        f"Of {found.num_in:,} records ({human_bytes(found.page_bytes)}) the main text was taken, "
        f"damaged encoding was mended in {found.repaired:,} of the documents that were kept, and "
        f"{found.removed_lines:,} lines ({human_bytes(found.removed_bytes)}) that their sites "
        "repeat were taken out of them. The settings:"
    )


def _settings(config_plain: Mapping[str, Any]) -> str:
    rows = [[f"`{key}`", _value(value)] for key, value in config_plain.items()]
    return _table(["setting", "value"], rows)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return plain_markdown(", ".join(map(str, value))) or "none"
    return "none" if value is None else plain_markdown(str(value))


def _steps(found: CorpusReport) -> str:
    left = found.num_in
    rows = []
    for step in found.steps:
        left -= step.documents
        size = human_bytes(step.num_bytes) if step.num_bytes else "–"
        name, reason = plain_markdown(step.outcome), plain_markdown(step.reason)
        rows.append([name, reason, f"{step.documents:,}", size, f"{left:,}"])
    return (
        "In the order in which rules are asked; the first that a record fails has it.\n\n"
        + _table(["name", "reason", "records", "text", "records left"], rows, numbers=(2, 3, 4))
    )


def _domains(found: CorpusReport) -> str:
    if not found.domains:
        return "The texts came without addresses."
    rows = [
        [plain_markdown(row.name), f"{row.documents:,}", _percent(row.documents, found.documents)]
        for row in found.domains[:DOMAINS_SHOWN]
    ]
    said = "Sites by registered name, without the public suffix, those with most documents:\n\n"
    return said + _table(["site", "documents", "of all"], rows, numbers=(1, 2))


def _demonstrations(found: CorpusReport) -> str:
    rows = []
    for one in found.demonstrations:
        example = "–"
        if one.examples:
            first = one.examples[0]
            example = marked_markdown(first.text, [(first.start, first.end)])
            example += f" ({plain_markdown(first.url)})"
        meaning = plain_markdown(one.meaning)
        rows.append([plain_markdown(one.kind), meaning, f"{one.found:,}", example])
    return (
        "The paper's Table 1 shows, in WebText, English beside its French: from such text a "
        "language model may learn a task that nobody taught it. Found here by patterns, which miss "
        "some and take others by mistake:\n\n"
        + _table(["kind", "what is counted", "found", "for example"], rows, numbers=(2,))
    )


def _limits(found: CorpusReport) -> str:
    kept = f"{found.documents:,} documents of {found.num_in:,} records"
    limits = [
        "The main text is found by a program: now and then a menu is left in, or a paragraph out.",
        "Languages are told by a detector, which errs on short and mixed texts.",
        "Near-duplicates are found with a probability that grows with their likeness; some are "
        "left, and all the more passages that different documents share.",
        "Nothing was done about personal data, offence, bias or error: the texts say what their "
        "authors said.",
        "Evaluation sets may be in it in part; `wellread overlap` measures how much of each is.",
        f"It is a sample of what was read, {kept}, not of the web.",
    ]
    return "\n".join(f"- {limit}" for limit in limits)


def _loading(form: str) -> str:
    return (
        "The files hold all splits; the column `split` tells them apart.\n\n"
        f"```python\n{LOADING[form]}```"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()
) -> str:
    marks = ["--:" if place in numbers else ":--" for place in range(len(titles))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [titles, marks, *rows])
