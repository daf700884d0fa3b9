"""A small run, written by the formats' own writers: what the stages leave, without their work."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.reference.corpus_account import ACCOUNT
from tests.report import answers
from tests.report.made_study import empty_study
from wellread.base.config import Config
from wellread.base.manifest import Draft, writing
from wellread.formats import (
    clean_scores,
    copying,
    corpus_outcomes,
    corpus_report,
    documents,
    findings,
    link_report,
    overlap,
    studies,
    tables,
    tokens,
)
from wellread.formats.link_report import DomainRow, KarmaRange, LinkReport, Month
from wellread.formats.metrics import Step, encode_step
from wellread.formats.results import Item, Result, Score, write_result
from wellread.pipeline.comparison import report_runs
from wellread.report.build import write_report
from wellread.report.config import ReportConfig
from wellread.tokenizer.tokenizer import Tokenizer


class LinksSettings(Config, frozen=True):
    min_karma: int = 3
    until: str = "2017-12-31"


class CorpusSettings(Config, frozen=True):
    languages: list[str] = msgspec.field(default_factory=lambda: ["en"])
    validation_per_mille: int = 100


class TokenizerSettings(Config, frozen=True):
    vocab_size: int = 4096


class NoSettings(Config, frozen=True):
    pass


class TrainSettings(Config, frozen=True):
    model: dict[str, Any]
    train: dict[str, Any]


def account(draft: Draft, dropped: Mapping[str, tuple[int, str]], *, kept: int) -> None:
    for reason, (number, example) in dropped.items():
        draft.drop(reason, example, count=number)
    draft.counts["in"] = kept + sum(number for number, _ in dropped.values())
    draft.counts["out"] = kept


def write_links_and_pages(run: Path) -> None:
    dump = run.parent / "RS_2017-11.zst"
    dump.write_bytes(b"a dump")
    with writing(
        run / "links", stage="links", config=LinksSettings(), inputs={"dumps": [dump]}
    ) as draft:
        dropped = {
            "karma below 3": (412, "RS_2017-11.zst:17"),
            "self post": (148, "RS_2017-11.zst:3"),
            "same page as another submission": (61, "http://docs.example.org/library/json.html"),
            "over 18": (19, "RS_2017-11.zst:88"),
            "wikipedia": (12, "RS_2017-11.zst:40"),
            "malformed record": (4, "RS_2017-11.zst:901 (truncated object)"),
            "no web address": (2, "RS_2017-11.zst:77"),
        }
        account(draft, dropped, kept=742)
        draft.write("links-00000.parquet", b"links")
        found = LinkReport(
            submissions=1400,
            kept=803,
            links=742,
            dropped={},
            months=[Month(month="2017-11", links=700), Month(month="2017-12", links=42)],
            karma=[KarmaRange(low=3, high=3, links=500), KarmaRange(low=4, high=None, links=242)],
            domains=[DomainRow(name="example", links=700), DomainRow(name="other", links=42)],
        )
        draft.write(link_report.NAME, link_report.encode(found))
    with writing(
        run / "pages", stage="crawl", config=NoSettings(), inputs={"links": [run / "links"]}
    ) as draft:
        dropped = {
            "http status 404": (14, "http://docs.example.org/gone.html"),
            "robots.txt": (9, "http://closed.example.net/private/" + "very-long-name-" * 12),
            "timed out": (1, "http://slow.example.org/"),
        }
        account(draft, dropped, kept=718)
        draft.write("pages-00000.warc.gz", b"pages")


def write_corpus_and_tokens(run: Path) -> None:
    pages = {"sources": [run / "pages"], "links": [run / "links"]}
    with writing(run / "corpus", stage="corpus", config=CorpusSettings(), inputs=pages) as draft:
        dropped = {
            "near-duplicate of another document": (73, "http://mirror.example.org/json"),
            "language is not en": (8, "http://docs.example.org/fr/json.html"),
            "fewer than 128 characters of text": (26, "http://docs.example.org/empty.html"),
        }
        account(draft, dropped, kept=611)
        draft.counts["bytes"] = 12_345_678
        documents.write_documents(
            draft,
            [documents.Document(url="http://docs.example.org/json", text="JSON is a\nformat.")],
        )
        outcome = {
            "url": "http://docs.example.org/empty.html", "outcome": "too-short",
            "reason": "fewer than 128 characters of text", "detail": "12", "num_bytes": 12,
            "excerpt": "Moved away.\n",
        }  # fmt: skip
        with draft.open(corpus_outcomes.OUTCOMES_FILE) as file:
            tables.write_rows(file, corpus_outcomes.OUTCOMES, [outcome])
        draft.write(corpus_report.NAME, corpus_report.encode(ACCOUNT))
    corpus = {"corpus": [run / "corpus"]}
    with writing(
        run / "tokenizer", stage="tokenizer", config=TokenizerSettings(), inputs=corpus
    ) as draft:
        draft.counts |= {"in": 611, "out": 611}
        draft.facts |= {"vocab_size": 4096, "num_merges": 3839, "bytes_per_token": 3.6142}
        Tokenizer.train(["an unsupervised learner, as unsupervised as others"], 270).save(draft.out)
    with writing(
        run / "tokens",
        stage="tokens",
        config=NoSettings(),
        inputs={**corpus, "tokenizer": [run / "tokenizer"]},
    ) as draft:
        draft.counts |= {"in": 611, "out": 611}
        header = tokens.TokensHeader(
            dtype="uint16",
            vocab_size=4096,
            end_of_text=4095,
            merges_digest="0" * 64,
            splits={
                name: tokens.SplitSize(num_tokens=size, num_bytes=size * 3, num_documents=number)
                for name, size, number in (("train", 3_100_000, 545), ("validation", 310_000, 66))
            },
        )
        draft.write("tokens.json", msgspec.json.encode(header))


def write_run(run: Path, name: str, *, size: str, parameters: int, final: float) -> None:
    settings = TrainSettings(
        model={"size": size, "context": 256},
        train={"batch_sequences": 16, "steps": 600},
    )
    with writing(
        run / "runs" / name, stage="train", config=settings, inputs={"tokens": [run / "tokens"]}
    ) as draft:
        lines = []
        for step in range(1, 601):
            loss = final + (8.3 - final) * math.exp(-step / 70) + 0.08 * math.sin(step * 1.7)
            is_measured = step % 50 == 0
            lines.append(
                encode_step(
                    Step(
                        step=step,
                        tokens=step * 4096,
                        loss=loss,
                        held_out_loss=loss + 0.1 if is_measured else None,
                        seconds=step * 0.2,
                        tokens_per_second=20_480.0,
                    )
                )
            )
        draft.write("metrics.jsonl", b"".join(lines))
        draft.counts |= {"in": 600, "out": 600}
        draft.facts |= {
            "num_parameters": parameters,
            "num_steps": 600,
            "tokens_seen": 2_457_600,
            "held_out_loss": final + 0.1,
            "held_out_bits_per_byte": round((final + 0.1) / math.log(2) / 3.6, 4),
            "tokens_per_second": 20_480.0,
            "device": "cpu",
            "threads": 2,
        }


def share_score(metric: str, value: float, half: float, number: int, chance: float | None) -> Score:
    return Score(
        metric=metric,
        value=value,
        low=value - half,
        high=value + half,
        num_items=number,
        higher_is_better=True,
        chance=chance,
    )


def perplexity_score(value: float, number: int) -> Score:
    return Score(
        metric="perplexity",
        value=value,
        low=value * 0.9,
        high=value * 1.1,
        num_items=number,
        higher_is_better=False,
    )


def bits_score(value: float) -> Score:
    return Score(
        metric="bits_per_byte",
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        num_items=28,
        higher_is_better=False,
    )


def results_of(gain: float) -> list[Result]:
    def result(task: str, scores: list[Score], comparable_to: str | None = None) -> Result:
        number = scores[0].num_items
        return Result(
            task=task,
            protocol=f"{task}:1|window=disjoint",
            comparable_to=comparable_to,
            num_items=number,
            num_available=5153 if task == "lambada" else number,
            scores=scores,
            seconds=2.5,
            note="written for this project" if task.startswith("demo-") else "",
        )

    return [
        result(
            "cloze-choice",
            [share_score("accuracy", 0.312 + gain, 0.04, 500, 0.1)],
        ),
        result("cloze-last-word", [share_score("accuracy", 0.064 + gain, 0.02, 500, None)]),
        result("demo-cbt", [share_score("accuracy", 0.15 + gain, 0.15, 20, 0.1)]),
        result("demo-summary", [share_score("rougeL", 0.13, 0.03, 20, None)]),
        result("held-out", [perplexity_score(40.0 * (1 - gain), 28), bits_score(1.9 - gain)]),
        result("demo-winograd", [share_score("accuracy", 0.55, 0.2, 20, 0.5)]),
        result(
            "lambada",
            [
                perplexity_score(2345.6 * (1 - 4 * gain), 500),
                share_score("accuracy", 0.021 + gain / 4, 0.012, 500, None),
            ],
            "lambada",
        ),
    ]


def samples_of(name: str) -> list[Item]:
    texts = [
        ("from-nothing-0", "<|endoftext|>", "The method returns the number of items\nin the list."),
        (
            "article-0",
            "A dictionary maps keys to",
            " values of the same type, and raises KeyError.",
        ),
    ]
    found = [
        Item(item=item, text=prompt, prompt=prompt, target="", prediction=f"{text} ({name})")
        for item, prompt, text in texts
    ]
    return [*found, Item(item="article-1", text="", prompt="A tuple", target="", prediction="")]


def write_scores(run: Path, name: str, gain: float, samples: Sequence[Item]) -> None:
    with writing(
        run / "results" / name,
        stage="evaluate",
        config=NoSettings(),
        inputs={"model": [run / "runs" / name]},
    ) as draft:
        for result in results_of(gain):
            write_result(draft, result, [])
        on_training = Result(
            task="held-out",
            protocol="held-out:1|split=train",
            stem="held-out,split=train",
            comparable_to=None,
            num_items=28,
            num_available=28,
            scores=[bits_score(1.8 - 2 * gain)],
            seconds=1.0,
        )
        write_result(draft, on_training, [])
        draft.facts["num_parameters"] = 1_200_000 if name == "small" else 3_400_000
        empty = Result(
            task="samples",
            protocol="samples:1|top_k=40",
            comparable_to=None,
            num_items=len(samples),
            num_available=len(samples),
            scores=[],
            seconds=1.0,
        )
        write_result(draft, empty, samples)
        many = msgspec.structs.replace(empty, task="copying-samples", stem="copying-samples")
        written = Item(item="u", text="", prompt="p", target="t", prediction="Only to be measured.")
        write_result(draft, many, [written])
        draft.counts |= {"in": 6, "out": 6}


def share_of(ngrams: int, found: int) -> overlap.Share:
    share = found / ngrams if ngrams else None
    return overlap.Share(
        num_ngrams=ngrams,
        num_found=found,
        share=share,
        low=share * 0.7 if share else None,
        high=share * 1.3 if share else None,
    )


def own_train(ngrams: int, found: int) -> overlap.OwnTrain:
    shares = dict.fromkeys(overlap.COUNTINGS, share_of(ngrams, found))
    return overlap.OwnTrain(name="wiki.train.tokens", num_documents=600, shares=shares)


def write_overlap(run: Path) -> None:
    found = overlap.Overlap(
        corpus="the train split of corpus",
        index=overlap.Index(
            ngram_words=8,
            num_documents=545,
            num_ngrams=1_900_000,
            num_distinct=1_500_000,
            num_bits=60_000_000,
            capacity=1_525_000,
            lines=3,
            false_positive_rate=1e-8,
            num_random_checked=1_000_000,
            num_random_found=0,
        ),
        test_sets=[
            overlap.TestSet(
                name=name,
                num_items=items,
                num_units=items,
                num_short=0 if ngrams else items,
                items_with_any=min(items, found // 30),
                shares=dict.fromkeys(overlap.COUNTINGS, share_of(ngrams, found)),
                num_by_chance=ngrams * 1e-8,
                shuffled=share_of(ngrams, 0),
                own_train=own_train(ngrams, found // 2) if name == "wikitext2" else None,
            )
            for name, items, ngrams, found in (
                ("cloze-choice", 500, 40_000, 620),
                ("demo-winograd", 20, 0, 0),
                ("wikitext2", 62, 230_000, 1_150),
            )
        ],
    )
    with writing(
        run / "overlap", stage="overlap", config=NoSettings(), inputs={"corpus": [run / "corpus"]}
    ) as draft:
        draft.counts |= {"in": 582, "out": 582}
        draft.write("overlap.json", msgspec.json.encode(found))


def write_clean_scores(run: Path) -> None:
    def part(name: str, number: int, value: float) -> clean_scores.Part:
        return clean_scores.Part(
            name=name, num_items=number, num_units=number, value=value, low=value * 0.8,
            high=value * 1.2,
        )  # fmt: skip

    def gap(difference: float) -> clean_scores.Gap:
        return clean_scores.Gap(
            difference=difference, low=difference - 0.01, high=difference + 0.01
        )

    scores = [
        clean_scores.CleanScore(
            results=name, task="lambada", protocol="lambada:1", comparable_to="lambada",
            metric=metric, higher_is_better=metric == "accuracy", num_short=2,
            whole=part("all", 500, whole), clean=part("clean", 450, clean),
            overlapping=part("overlapping", 50, others),
            buckets=[part("1 to 5 %", 40, others), part("over 15 %", 10, others)],
            whole_less_clean=gap(whole - clean), overlapping_less_clean=gap(others - clean),
        )
        for name in ("small", "medium")
        for metric, whole, clean, others in (
            ("perplexity", 2345.6, 2400.0, 1900.0), ("accuracy", 0.021, 0.02, 0.04),
        )
    ]  # fmt: skip
    found = clean_scores.CleanScores(
        corpus="the train split of corpus",
        ngram_words=8,
        scores=scores,
        left_out={"small held-out": "overlap was not measured on its items"},
    )
    inputs = {
        "overlap": [run / "overlap"],
        "results": [run / "results" / name for name in ("small", "medium")],
    }
    with writing(
        run / "clean-scores", stage=clean_scores.STAGE, config=NoSettings(), inputs=inputs
    ) as draft:
        draft.counts |= {"in": 1000, "out": 1000}
        draft.write(clean_scores.FILE, msgspec.json.encode(found))


COPIED_TEXT = "So the method returns the number of items in the list that is given. And on."


def write_copying(run: Path) -> None:
    def estimate(value: float) -> copying.Estimate:
        return copying.Estimate(value=value, low=value * 0.8, high=value * 1.2)

    def texts(shares: list[float]) -> copying.Texts:
        return copying.Texts(
            num_texts=len(shares), num_short=0, shares=shares, median=estimate(shares[1]),
            without=estimate(0.4), below=estimate(0.6),
            longest=copying.Longest(
                num_words=9, words="x", item="http://held.example/1", url="http://a.example/",
                num_documents=3,
            ),
        )  # fmt: skip

    models = [
        copying.Copied(
            name=name, epochs=epochs, num_parameters=1, num_tokens=50,
            samples=texts([0.0, 0.004, 0.25]), held_out=texts([0.0, 0.03, 0.5]),
            extraction=[
                copying.Extracted(
                    is_held_out=is_held_out, documents=documents, seen="1.5" if epochs else "",
                    num_probes=80, exact=estimate(0.25), matching=estimate(12.5),
                )
                for is_held_out, documents in ((False, "1"), (False, ""), (True, "0"))
            ],
        )
        for name, epochs in (("small", 1.5), ("medium", None))
    ]  # fmt: skip
    found = copying.Copying(
        corpus="the train split of corpus", ngram_words=8, num_documents=545, num_false=0,
        models=models,
    )  # fmt: skip
    start, end = 3, len(COPIED_TEXT) - 9
    row = {
        "model": "small", "item": "http://held.example/1", "kind": copying.WRITTEN,
        "text": COPIED_TEXT, "num_ngrams": 9, "num_found": 6, "starts": [start], "ends": [end],
        "longest_words": 13, "longest_start": start, "longest_end": end,
        "url": "http://a.example/", "document_start": 0, "document_end": 9, "num_documents": 3,
    }  # fmt: skip
    inputs = {"results": [run / "results" / name for name in ("small", "medium")]}
    with writing(run / "copying", stage=copying.STAGE, config=NoSettings(), inputs=inputs) as draft:
        draft.counts |= {"in": 6, "out": 6}
        draft.write(copying.NAME, msgspec.json.encode(found))
        with draft.open(copying.TEXTS_FILE) as file:
            tables.write_rows(file, copying.TEXTS, [row])


def write_study(run: Path) -> None:
    names = {"small": (0.0, 1_200_000), "medium": (0.06, 3_400_000)}
    study = empty_study(
        vary={"model.size": ["2x64", "4x128"]},
        points=[
            studies.Point(
                run=name,
                settings={"model.size": "2x64" if name == "small" else "4x128"},
                num_parameters=parameters,
                task=result.task,
                protocol=result.protocol,
                metric=score.metric,
                unit="number",
                higher_is_better=score.higher_is_better,
                value=score.value,
                low=score.low,
                high=score.high,
                chance=score.chance,
            )
            for name, (gain, parameters) in names.items()
            for result in results_of(gain)
            for score in result.scores
        ],
        differences=[
            findings.Difference(
                task=task,
                metric="accuracy",
                smaller="small",
                larger="medium",
                difference=difference,
                low=difference - 0.03,
                high=difference + 0.03,
                num_items=500,
                num_units=40,
                higher_is_better=True,
            )
            for task, difference in (("cloze-choice", 0.06), ("cloze-last-word", 0.02))
        ],
        unpaired=["held-out of small and medium"],
        differs_too={"train.steps": [600, 300]},
    )
    results = [run / "results" / name for name in names]
    with writing(
        run / "study", stage="study", config=NoSettings(), inputs={"results": results}
    ) as draft:
        draft.counts |= {"in": 12, "out": 12}
        draft.write("study.json", msgspec.json.encode(study))


@pytest.fixture(scope="session")
def half_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped after the crawl, with the corpus begun."""
    run = tmp_path_factory.mktemp("half") / "half"
    write_links_and_pages(run)
    (run / "corpus").mkdir()
    (run / "corpus" / "unfinished.json").write_bytes(b'{"stage": "corpus"}')
    return run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every stage, two models."""
    run = tmp_path_factory.mktemp("finished") / "little-web"
    write_links_and_pages(run)
    write_corpus_and_tokens(run)
    write_run(run, "small", size="2x64", parameters=1_200_000, final=3.9)
    write_run(run, "medium", size="4x128", parameters=3_400_000, final=3.4)
    write_scores(run, "small", 0.0, samples_of("small"))
    write_scores(run, "medium", 0.06, samples_of("medium"))
    write_overlap(run)
    write_clean_scores(run)
    write_copying(run)
    write_study(run)
    return run


@pytest.fixture(scope="session")
def finished_page(finished_run: Path) -> Path:
    """The report on it."""
    out = finished_run.parent / "report"
    write_report(finished_run, out, ReportConfig())
    return out


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    first = answers.write_run(
        folder / "first", {"2x64": (10**6, answers.WRONG), "4x128": (10**7, answers.WRONG)}
    )
    second = answers.write_run(folder / "second", {"2x64": (10**6, answers.RIGHT)}, steps=900)
    return first, second


@pytest.fixture(scope="session")
def comparison_page(two_runs: tuple[Path, Path]) -> Path:
    out = two_runs[0].parent / "report"
    report_runs(two_runs, out, ReportConfig())
    return out
