"""Zero-shot evaluation beside lm-evaluation-harness, in one run.

    pip install -e ".[parity]"
    python benchmarks/evaluate.py                     # four tasks, two types of weights
    python benchmarks/evaluate.py --tasks lambada --dtypes float32 --rounds 3
    python benchmarks/evaluate.py --limit 0.1 --size 2x64 --rounds 1      # whether it works

Both read the same model and the same strings: passages of LAMBADA; ten words in the blank of a
sentence after twenty others, from novels, scored with the rest of the sentence, as the Children's
Book Test; articles of WikiText-2 in windows that do not overlap; questions of NQ-open after pairs,
answered greedily up to the end of the line. The model is GPT-2 of 124M parameters with random
weights, unless `--model` names another. Random weights end no line, so that all answers have their
full length; with a trained model they end earlier.

Each run is a fresh process. The clock starts after loading and a first short run, at the strings,
and stops at the scores: for ours with metrics and intervals, for theirs (the `hf` model of its
newest stable version) without. It has, for each task and type, the fastest of some batch sizes,
tried before on a quarter of the items. Ratios are taken by round. Scores are compared item by item:
in float32 a log-probability that differs by more than 1e-4 (relative beyond one nat) is an error.
"""

import argparse
import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from side_by_side import (
    Failure,
    Outcome,
    Run,
    in_rounds,
    machine,
    peak_bytes,
    ratios,
    run_fresh,
    seconds_of,
    spread,
    table,
    use_cores,
    version_of,
)
from texts import REAL_DATA

from wellread.base.seeds import generator
from wellread.evaluate.budget import Prepared
from wellread.evaluate.cbt import Cloze
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.held_out import WORD, is_content, sentence_spans
from wellread.evaluate.plan import prepare
from wellread.evaluate.questions import MAX_NEW_TOKENS, prompt_for, read_questions, read_shots
from wellread.evaluate.task import choose, own_data

OURS, THEIRS = "wellread", "lm_eval"
NUM_ITEMS = {"lambada": 160, "cloze": 6, "wikitext": 4, "questions": 48}
AT_LEAST = {"lambada": 5, "cloze": 10, "wikitext": 3, "questions": 3}  # times as fast: the goals
BATCHES = [1, 4, 16]
WIKITEXT = "wikitext2|text=tokenised|detokenizer=off|stride=context|prefix=eot"
SENTENCES, CANDIDATES = 20, 10  # as the Children's Book Test
MAX_CHARACTERS = 3000  # fit into 1,024 tokens: what does not, they cut for each candidate apart
LIMIT_SECONDS = 1800.0
CLOSE = 1e-4


class Job(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    library: str
    dtype: str
    device: str
    threads: int
    num_items: int
    model: str
    scores: str  # file to write
    batch: int = 0  # items together; 0: as wellread decides

    def __str__(self) -> str:
        return f"{self.task} {self.library} {self.dtype}, batch {self.batch or 'its own'}"


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """What a library says of the items, one of each for each item."""

    log_probs: list[float]  # of the right answer; none where text is generated
    answers: list[str]  # what it wrote, or whether it was right; none for whole texts


# The items


def lambada(num: int) -> Prepared:
    config = EvaluateConfig(
        tasks=["lambada|target=word|filter=none"], data=REAL_DATA / "benchmarks", limit=num
    )
    return prepare(config).prepared[0]


def wikitext(num: int) -> Prepared:
    config = EvaluateConfig(tasks=[WIKITEXT], data=REAL_DATA / "benchmarks", limit=num)
    return prepare(config).prepared[0]


def cloze(num: int) -> Prepared:
    """One item from each novel in turn, from behind its beginning."""
    novels = sorted((REAL_DATA / "documents" / "novels").glob("*.txt"))
    found = [from_novel(novels[n % len(novels)], n // len(novels) + 1) for n in range(num)]
    return Prepared(choose("demo-cbt|scope=rest"), found, num)


def from_novel(path: Path, number: int) -> Cloze:
    """Sentences 100, 200, ... and those behind, whose last has a word of them to leave out."""
    text = path.read_text(encoding="utf-8-sig")
    spans = sentence_spans(text[:400_000])[100 * number :]
    for first in range(len(spans)):
        sentences = [text[start:end] for start, end in spans[first : first + SENTENCES + 1]]
        passage, last = " ".join(sentences[:-1]), sentences[-1]
        words = sorted({word for word in WORD.findall(passage) if is_content(word)})
        places = [place for place in WORD.finditer(last) if place.group() in words]
        fits = len(passage) + len(last) <= MAX_CHARACTERS
        if not (fits and places and places[0].start()):
            continue
        answer = places[0].group()
        others = [word for word in words if word != answer]
        drawn = generator(0, "cloze", path.name, str(number)).permutation(len(others))
        return Cloze(
            item=f"{path.stem} {number}",
            passage=passage,
            before=last[: places[0].start()],
            after=last[places[0].end() :],
            candidates=(answer, *(others[at] for at in drawn[: CANDIDATES - 1])),
            answer=answer,
        )
    raise ValueError(f"{path}: no sentence behind sentence {100 * number} repeats a word")


def questions(num: int) -> Prepared:
    shots = read_shots(own_data("qa/NQ-open.shots.jsonl"))
    found = read_questions(REAL_DATA / "benchmarks" / "nq_open" / "NQ-open.dev.jsonl", shots)
    return Prepared(choose("demo-qa"), found[:num], num)


ITEMS: dict[str, Callable[[int], Prepared]] = {
    "lambada": lambada,
    "cloze": cloze,
    "wikitext": wikitext,
    "questions": questions,
}


# What is timed

Ask = Callable[[Prepared], Scores]


def ours(job: Job) -> Ask:
    from wellread.evaluate.language_model import TorchModel
    from wellread.evaluate.run import evaluate_task
    from wellread.model.load import load_model, load_tokenizer

    network = load_model(job.model, device=job.device, dtype=job.dtype)
    tokenizer = load_tokenizer(Path(job.model))
    batch_tokens = EvaluateConfig().batch_tokens
    lm = TorchModel(network, tokenizer.end_of_text, batch_tokens=batch_tokens)

    def run(prepared: Prepared) -> Scores:
        items = evaluate_task(lm, tokenizer, prepared).items
        if job.task == "questions":
            return Scores(log_probs=[], answers=[item.prediction or "" for item in items])
        log_probs = [item.log_prob or 0.0 for item in items]
        if job.task == "wikitext":
            return Scores(log_probs=log_probs, answers=[])
        return Scores(log_probs=log_probs, answers=[str(item.value == 1.0) for item in items])

    return run


def theirs(job: Job) -> Ask:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=job.model, dtype=job.dtype, device=job.device, batch_size=job.batch)

    def answers_to(kind: str, requests: Sequence[tuple[Any, ...]]) -> list[Any]:
        instances = [
            Instance(request_type=kind, doc={}, arguments=request, idx=0) for request in requests
        ]
        answers: list[Any] = getattr(lm, kind)(instances, disable_tqdm=True)
        return answers

    return functools.partial(ASKED[job.task], answers_to)


Answers = Callable[[str, Sequence[tuple[Any, ...]]], list[Any]]


def ask_lambada(answers_to: Answers, prepared: Prepared) -> Scores:
    found = answers_to("loglikelihood", [(one.prompt, one.target) for one in prepared.examples])
    return Scores(
        log_probs=[log_prob for log_prob, _ in found],
        answers=[str(is_greedy) for _, is_greedy in found],
    )


def ask_cloze(answers_to: Answers, prepared: Prepared) -> Scores:
    asked = [
        (f"{one.passage} {one.before}".rstrip(), f" {word}{one.after}")
        for one in prepared.examples
        for word in one.candidates
    ]
    found = iter([log_prob for log_prob, _ in answers_to("loglikelihood", asked)])
    log_probs, answers = [], []
    for one in prepared.examples:
        by_word = {word: next(found) for word in one.candidates}
        log_probs.append(by_word[one.answer])
        answers.append(str(by_word[one.answer] == max(by_word.values())))
    return Scores(log_probs=log_probs, answers=answers)


def ask_wikitext(answers_to: Answers, prepared: Prepared) -> Scores:
    found = answers_to("loglikelihood_rolling", [(one.text,) for one in prepared.examples])
    return Scores(log_probs=list(found), answers=[])


def ask_questions(answers_to: Answers, prepared: Prepared) -> Scores:
    how = {"until": ["\n"], "max_gen_toks": MAX_NEW_TOKENS, "do_sample": False}
    found = answers_to("generate_until", [(prompt_for(one), how) for one in prepared.examples])
    return Scores(log_probs=[], answers=[text.strip() for text in found])


ASKED: dict[str, Callable[[Answers, Prepared], Scores]] = {
    "lambada": ask_lambada,
    "cloze": ask_cloze,
    "wikitext": ask_wikitext,
    "questions": ask_questions,
}
LIBRARIES = {OURS: ours, THEIRS: theirs}


def work(job: Job) -> Run:
    use_cores(job.threads)
    import torch

    torch.set_num_threads(job.threads)
    prepared = ITEMS[job.task](job.num_items)
    ask = LIBRARIES[job.library](job)
    start = time.perf_counter()
    ask(prepared._replace(examples=prepared.examples[-1:]))
    warm = time.perf_counter()
    scores = ask(prepared)
    seconds = time.perf_counter() - warm
    Path(job.scores).write_bytes(msgspec.json.encode(scores))
    return Run(
        seconds=seconds, warm_up_seconds=warm - start, peak_bytes=peak_bytes(),
        amount=len(prepared.examples),
    )  # fmt: skip


# The table


class Options(msgspec.Struct, frozen=True, kw_only=True):
    tasks: list[str]
    dtypes: list[str]
    batches: list[int]
    rounds: int
    limit: float
    threads: int
    device: str
    size: str
    model: Path | None
    json: Path | None


class Pair(NamedTuple):
    ours: Job
    theirs: Job


def measure(job: Job) -> Outcome:
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return run_fresh(
        __file__, msgspec.json.encode(job),
        environment={"OMP_NUM_THREADS": str(job.threads), **offline}, limit_seconds=LIMIT_SECONDS,
    )  # fmt: skip


def jobs_of(options: Options, folder: Path, model: Path) -> list[Pair]:
    """For each task and type both libraries, theirs with the batch size that was the fastest."""
    pairs = []
    for task in options.tasks:
        for dtype in options.dtypes:
            num = max(1, round(NUM_ITEMS[task] * options.limit))
            one = Job(
                task=task, library=OURS, dtype=dtype, device=options.device,
                threads=options.threads, num_items=num, model=str(model),
                scores=str(folder / f"{OURS}-{task}-{dtype}.json"),
            )  # fmt: skip
            scores = str(folder / f"{THEIRS}-{task}-{dtype}.json")
            other = msgspec.structs.replace(one, library=THEIRS, scores=scores)
            pairs.append(Pair(one, with_best_batch(other, options.batches)))
    return pairs


def with_best_batch(job: Job, batches: Sequence[int]) -> Job:
    num = -(-job.num_items // 4)
    tried = [
        msgspec.structs.replace(job, batch=batch, num_items=num, scores=f"{job.scores}.tried")
        for batch in batches
    ]
    outcomes = in_rounds(tried, 1, measure) if len(tried) > 1 else {}
    seconds = {
        one.batch: found.seconds for one, [found] in outcomes.items() if isinstance(found, Run)
    }
    best = min(seconds, key=lambda batch: seconds[batch]) if seconds else batches[0]
    return msgspec.structs.replace(job, batch=best)


class Agreement(NamedTuple):
    largest: float | None  # difference of a log-probability, relative beyond one nat
    equal: int  # answers
    asked: int

    def __str__(self) -> str:
        parts = [] if self.largest is None else [f"log-probabilities within {self.largest:.1e}"]
        parts += [f"{self.equal} of {self.asked} answers"] if self.asked else []
        return ", ".join(parts)


def agreement(pair: Pair) -> Agreement:
    one, other = (msgspec.json.decode(Path(job.scores).read_bytes(), type=Scores) for job in pair)
    differences = [
        abs(a - b) / max(1.0, abs(a)) for a, b in zip(one.log_probs, other.log_probs, strict=True)
    ]
    equal = sum(a == b for a, b in zip(one.answers, other.answers, strict=True))
    return Agreement(max(differences, default=None), equal, len(one.answers))


def rows_of(pairs: Sequence[Pair], outcomes: dict[Job, list[Outcome]]) -> list[list[str]]:
    rows = []
    for pair in pairs:
        mine = seconds_of(outcomes[pair.ours])
        for job in pair:
            found = outcomes[job]
            head = [
                f"{job.task}, {job.num_items} items", f"{job.library} {version_of(job.library)}",
                job.dtype, str(job.batch or "its own"),
            ]  # fmt: skip
            failed = [one for one in found if isinstance(one, Failure)]
            if failed:
                rows.append([*head, failed[0].reason, "", "", "", ""])
                continue
            is_mine = job == pair.ours
            peak = max(one.peak_bytes for one in found if isinstance(one, Run)) / 1e9
            rows.append(
                [
                    *head, spread(seconds_of(found), 2),
                    "1" if is_mine else ratios(seconds_of(found), mine),
                    "" if is_mine else str(AT_LEAST[job.task]), f"{peak:.2f}",
                    "" if is_mine or not mine else str(agreement(pair)),
                ]
            )  # fmt: skip
    return rows


def write_model(size: str, folder: Path) -> Path:
    """Random weights with GPT-2's own tokenizer, as Hugging Face stores them."""
    from wellread.model.config import ExportConfig
    from wellread.model.exchange import export_model
    from wellread.model.gpt2 import GPT2
    from wellread.model.load import load_tokenizer, save_model
    from wellread.model.sizes import ModelConfig

    tokenizer = load_tokenizer(REAL_DATA / "vocab")
    network = GPT2(ModelConfig(size=size).architecture(tokenizer.vocab_size)).initialise(0)
    (folder / "fresh").mkdir()
    save_model(network, folder / "fresh")
    tokenizer.save(folder / "fresh")
    export_model(folder / "fresh", folder / "model", ExportConfig())
    return folder / "model"


def device_name(device: str) -> str:
    import torch

    return torch.cuda.get_device_name() if device.startswith("cuda") else "the processor"


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = work(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=list(ITEMS), choices=list(ITEMS))
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="theirs, tried")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.0, help="share of the usual items")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", default="124M", help="of the model with random weights")
    parser.add_argument("--model", type=Path, help="a Hugging Face folder instead")
    parser.add_argument("--json", type=Path, help="file for the raw numbers")
    options = msgspec.convert(vars(parser.parse_args()), Options)
    about = f"{machine()}; {', '.join(f'{x} {version_of(x)}' for x in ('torch', 'transformers'))}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model or write_model(options.size, folder)
        pairs = jobs_of(options, folder, model)
        outcomes = in_rounds([job for pair in pairs for job in pair], options.rounds, measure)
        rows = rows_of(pairs, outcomes)
        differing = [
            str(pair.theirs)
            for pair in pairs
            if pair.ours.dtype == "float32"
            and all(Path(job.scores).exists() for job in pair)
            and (agreement(pair).largest or 0.0) > CLOSE
        ]
    headings = ["task", "library", "weights", "batch", "seconds", "its time / wellread's", "goal",
                "peak, GB", "agreement"]  # fmt: skip
    sys.stdout.write(
        f"{options.model or f'GPT-2 {options.size}, random weights'}, on "
        f"{device_name(options.device)}. {about}. {options.threads} threads, {options.rounds} "
        f"rounds; medians (smallest to largest).\n\n{table(headings, rows)}\n"
    )
    if options.json:
        raw = [{"job": job, "rounds": found} for job, found in outcomes.items()]
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(raw)))
    for job in differing:
        sys.stderr.write(f"{job}: scores differ from ours by more than {CLOSE}\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
