"""Scores without the items that overlap, against a slow version that filters and scores again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.evaluate.clean import Joined, clean_scores, gaps
from wellread.evaluate.metrics import ACCURACY, Metric, of_most_confident
from wellread.formats import overlap as overlaps
from wellread.formats import tables
from wellread.formats.clean_scores import ITEMS, CleanScore, Gap, read_clean_scores
from wellread.formats.results import STAGE, Item, Result, Score, write_result
from wellread.overlap.config import OverlapConfig
from wellread.pipeline.why import trace

NUM_NGRAMS = 100
TEXT = " ".join("word" for _ in range(NUM_NGRAMS + 7))
INDEX = overlaps.Index(
    mode="bloom", ngram_words=8, num_documents=1, num_ngrams=1, num_distinct=1, capacity=1,
    num_bits=512, lines=3,
    false_positive_rate=1e-8, num_random_checked=0, num_random_found=0,
)  # fmt: skip
Found = dict[str, int | None]  # item -> n-grams that the corpus has, None: it has none to ask for
ANY = Score(metric="f1", value=0.0, low=None, high=None, num_items=1, higher_is_better=True)


def write_results(out: Path, items: Sequence[Item], task: str = "lambada") -> Path:
    result = Result(
        task=task, protocol=f"{task}:1", comparable_to=task, num_items=len(items),
        num_available=len(items), scores=[ANY], seconds=0.0,
    )  # fmt: skip
    with writing(out, stage=STAGE, config=Config(), inputs={}) as draft:
        write_result(draft, result, items)
    return out


def write_overlap(out: Path, found: Found, test_set: str = "lambada") -> Path:
    """Of each item how many of 100 n-grams the corpus has; None: it is too short for any."""
    rows = [
        dict.fromkeys(overlaps.ITEMS.names, 0)
        | {"test_set": test_set, "item": item, "unit": None, "num_own_found": None}
        | {"num_ngrams": 0 if number is None else NUM_NGRAMS, "num_found": number or 0}
        for item, number in found.items()
    ]
    with writing(out, stage=overlaps.STAGE, config=Config(), inputs={}) as draft:
        with draft.open("items.parquet") as file:
            tables.write_rows(file, overlaps.ITEMS, rows)
        table = overlaps.Overlap(corpus="novels, split 'train'", index=INDEX, test_sets=[])
        draft.write("overlap.json", overlaps.msgspec.json.encode(table))
    return out


def an_item(
    number: int, log_prob: float, *, right: bool, unit: str | None = None, text: str = TEXT
) -> Item:
    return Item(
        item=str(number), text=text, prompt="", target="", value=float(right), log_prob=log_prob,
        unit=unit, sums={"perplexity": (log_prob, 1.0), "accuracy": (float(right), 1.0)},
    )  # fmt: skip


def some_items(num: int, *, per_unit: int = 1) -> tuple[list[Item], Found]:
    """The overlapping ones, about a third, are easier."""
    random = generator(0, "items")
    found = {str(number): int(random.choice([0, 0, 0, 1, 3, 10, 60])) for number in range(num)}
    items = [
        an_item(
            number,
            -float(random.exponential(2.0 if found[str(number)] else 4.0)),
            right=bool(random.random() < (0.7 if found[str(number)] else 0.4)),
            unit=f"document {number // per_unit}" if per_unit > 1 else None,
        )
        for number in range(num)
    ]
    return items, dict(found)


def scored(tmp_path: Path, items: list[Item], found: Found) -> dict[str, CleanScore]:
    results = write_results(tmp_path / "model", items)
    overlap = write_overlap(tmp_path / "overlap", found)
    clean_scores(overlap, [results], tmp_path / "out", OverlapConfig())
    return {one.metric: one for one in read_clean_scores(tmp_path / "out").scores}


def slow_accuracy(items: Sequence[Item]) -> float | None:
    values = [item.value for item in items]
    return sum(v for v in values if v is not None) / len(values) if values else None


def test_parts_have_the_scores_of_their_items_alone(tmp_path: Path) -> None:
    items, found = some_items(200)
    one = scored(tmp_path, items, found)["accuracy"]
    clean = [item for item in items if found[item.item] == 0]
    others = [item for item in items if item not in clean]
    assert one.whole.value == pytest.approx(slow_accuracy(items))
    assert one.clean.value == pytest.approx(slow_accuracy(clean))
    assert one.overlapping.value == pytest.approx(slow_accuracy(others))
    assert (one.clean.num_items, one.overlapping.num_items) == (len(clean), len(others))
    shares = {"up to 1 %": 1, "1 to 5 %": 3, "5 to 15 %": 10, "over 15 %": 60}
    assert [part.name for part in one.buckets] == list(shares)
    for part in one.buckets:
        these = [item for item in items if found[item.item] == shares[part.name]]
        assert (part.num_items, part.value) == (len(these), pytest.approx(slow_accuracy(these)))


def test_perplexity_is_made_again_of_what_remains(tmp_path: Path) -> None:
    items = [an_item(1, -1.0, right=True), an_item(2, -3.0, right=True)]
    one = scored(tmp_path, items, {"1": 50, "2": 0})["perplexity"]
    assert one.whole.value == pytest.approx(np.exp(2.0))
    assert one.clean.value == pytest.approx(np.exp(3.0))
    assert one.whole_less_clean.difference == pytest.approx(np.exp(2.0) - np.exp(3.0))
    assert one.overlapping_less_clean.difference == pytest.approx(np.exp(1.0) - np.exp(3.0))
    assert (one.overlapping_less_clean.low, one.overlapping_less_clean.high) == (None, None)


def slow_interval(items: list[Item], found: Found) -> tuple[float, float]:
    """Of all less clean, by drawing documents one by one and scoring their items."""
    documents: dict[str, list[Item]] = {}
    for item in items:
        documents.setdefault(item.unit or item.item, []).append(item)
    names, random, differences = list(documents), generator(1, "slow"), []
    for _ in range(2000):
        drawn = [
            item
            for k in random.integers(len(names), size=len(names))
            for item in documents[names[k]]
        ]
        whole = slow_accuracy(drawn)
        clean = slow_accuracy([item for item in drawn if not found[item.item]])
        assert whole is not None
        assert clean is not None
        differences.append(whole - clean)
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)


def test_intervals_draw_documents_for_both_sides_alike(tmp_path: Path) -> None:
    items, found = some_items(240, per_unit=4)
    gap = scored(tmp_path, items, found)["accuracy"].whole_less_clean
    low, high = slow_interval(items, found)
    assert gap.low == pytest.approx(low, abs=0.006)
    assert gap.high == pytest.approx(high, abs=0.006)


def test_without_overlap_nothing_differs(tmp_path: Path) -> None:
    items, found = some_items(50)
    for one in scored(tmp_path, items, dict.fromkeys(found, 0)).values():
        assert one.whole == overlaps.msgspec.structs.replace(one.clean, name="all")
        assert one.whole_less_clean == Gap(difference=0.0, low=0.0, high=0.0)
        assert (one.overlapping.value, one.overlapping_less_clean.difference) == (None, None)


def test_where_all_overlaps_there_is_no_clean_score(tmp_path: Path) -> None:
    items, found = some_items(50)
    for one in scored(tmp_path, items, dict.fromkeys(found, 5)).values():
        assert (one.clean.num_items, one.clean.value) == (0, None)
        assert one.whole_less_clean == Gap(difference=None, low=None, high=None)


def test_short_items_are_clean_and_counted_apart(tmp_path: Path) -> None:
    items = [an_item(n, -1.0, right=True, text=TEXT if n else "short") for n in range(3)]
    one = scored(tmp_path, items, {"0": None, "1": 0, "2": 7})["accuracy"]
    assert (one.num_short, one.clean.num_items, one.overlapping.num_items) == (1, 2, 1)


def test_a_metric_of_rows_is_made_again_of_the_rows_that_remain() -> None:
    metric = Metric(statistic=of_most_confident, is_of_rows=True, share=0.01)
    items = [
        Joined(
            Item(
                item=str(number), text="", prompt="", target="",
                sums={"top": (number / 200, float(number < 150))},
            ),
            NUM_NGRAMS, int(number >= 150),
        )
        for number in range(200)
    ]  # fmt: skip
    whole, overlapping = gaps("top", metric, items, 0)
    assert (whole.difference, overlapping.difference) == (-1.0, -1.0)
    assert (overlapping.low, overlapping.high) == (-1.0, -1.0)


def test_items_that_were_not_measured_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items, found = some_items(30)
    results = write_results(tmp_path / "model", items)
    with writing(tmp_path / "more", stage=STAGE, config=Config(), inputs={}) as draft:
        for task in ("lambada", "winograd"):
            result = Result(
                task=task, protocol=task, comparable_to=None, num_items=30, num_available=30,
                scores=[ANY], seconds=0.0,
            )  # fmt: skip
            write_result(draft, result, items)
    overlap = write_overlap(tmp_path / "overlap", {k: v for k, v in found.items() if k != "7"})
    manifest = clean_scores(
        overlap, [results, tmp_path / "more"], tmp_path / "out", OverlapConfig()
    )
    assert manifest.counts == {"in": 90, "out": 58}
    assert manifest.dropped == {"without a measured overlap": 32}
    assert manifest.examples["without a measured overlap"][0] == "model lambada: 7"
    assert "more winograd: left out, since overlap was not measured on its items" in caplog.text
    rows = list(tables.read_rows([tmp_path / "out" / "items.parquet"], ITEMS))
    assert [row["item"] for row in rows[:8]] == [str(n) for n in (0, 1, 2, 3, 4, 5, 6, 8)]
    assert {row["results"] for row in rows} == {"model", "more"}
    origins = [origin.path.name for origin in trace(tmp_path / "out" / "clean-scores.json")]
    assert origins == ["out", "overlap", "model", "more"]


def test_an_item_of_another_text_than_was_measured_is_left_out(tmp_path: Path) -> None:
    items = [an_item(n, -1.0, right=True, text=TEXT + " more" * (n > 1)) for n in range(3)]
    results = write_results(tmp_path / "model", items)
    overlap = write_overlap(tmp_path / "overlap", {"0": 5, "1": 0, "2": 0})
    manifest = clean_scores(overlap, [results], tmp_path / "out", OverlapConfig())
    assert manifest.examples == {"another text than was measured": ["model lambada: 2"]}
    assert manifest.counts == {"in": 3, "out": 2}
    with pytest.raises(InputError, match="left out: another text than was measured 1"):
        clean_scores(
            overlap, [write_results(tmp_path / "other", items[2:])], tmp_path / "2", OverlapConfig()
        )


def test_results_whose_items_were_not_measured_are_refused(tmp_path: Path) -> None:
    results = write_results(tmp_path / "model", some_items(3)[0])
    overlap = write_overlap(tmp_path / "overlap", {"another": 0})
    with pytest.raises(InputError, match="no items in common by name and text; measure"):
        clean_scores(overlap, [results], tmp_path / "out", OverlapConfig())
    with pytest.raises(InputError, match="expected"):
        clean_scores(results, [overlap], tmp_path / "out", OverlapConfig())


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_difference_that_was_planted() -> None:
    """Right with 0.7 where there is overlap, in a quarter of the items, else with 0.5."""
    hits, trials = np.zeros(2), 200
    for trial in range(trials):
        random = generator(trial, "coverage")
        is_found = random.random(300) < 0.25
        right = random.random(300) < np.where(is_found, 0.7, 0.5)
        items = [
            Joined(
                Item(
                    item=str(number), text="", prompt="", target="",
                    sums={"accuracy": (float(right[number]), 1.0)},
                ),
                NUM_NGRAMS, int(is_found[number]),
            )
            for number in range(300)
        ]  # fmt: skip
        for place, (gap, truth) in enumerate(
            zip(gaps("accuracy", ACCURACY, items, trial), (0.05, 0.2), strict=True)
        ):
            assert gap.low is not None
            assert gap.high is not None
            hits[place] += gap.low <= truth <= gap.high
    assert np.all((hits / trials >= 0.90) & (hits / trials <= 0.99))
