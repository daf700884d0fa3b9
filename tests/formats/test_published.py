"""The paper's values are typed in once; these are read off the paper again."""

import pytest

from wellread.formats.published import paper, published, published_overlap


@pytest.mark.parametrize(
    ("task", "metric", "printed"),
    [
        ("lambada", "perplexity", [35.13, 15.60, 10.87, 8.63]),
        ("lambada", "accuracy", [45.99, 55.48, 60.12, 63.24]),
        ("cbt-cn", "accuracy", [87.65, 92.35, 93.45, 93.30]),
        ("cbt-ne", "accuracy", [83.4, 87.1, 88.0, 89.05]),
        ("wikitext2", "perplexity", [29.41, 22.76, 19.93, 18.34]),
        ("ptb", "perplexity", [65.85, 47.33, 40.31, 35.76]),
        ("enwik8", "bits_per_byte", [1.16, 1.01, 0.97, 0.93]),
        ("text8", "bits_per_character", [1.17, 1.06, 1.02, 0.98]),
        ("wikitext103", "perplexity", [37.50, 26.37, 22.05, 17.48]),
        ("1bw", "perplexity", [75.20, 55.72, 44.575, 42.16]),
    ],
)
def test_table_3_is_as_printed(task: str, metric: str, printed: list[float]) -> None:
    row = published(task, metric)
    assert row is not None
    assert list(row.by_size) == ["117M", "345M", "762M", "1542M"]
    assert list(row.by_size.values()) == printed
    assert row.source == "Table 3"


def test_percentages_are_given_as_the_fractions_that_our_results_hold() -> None:
    accuracy, perplexity = published("lambada", "accuracy"), published("lambada", "perplexity")
    assert accuracy is not None
    assert perplexity is not None
    assert accuracy.value("117M") == pytest.approx(0.4599)
    assert perplexity.value("117M") == 35.13


def test_a_size_that_the_paper_does_not_give_is_none() -> None:
    coqa = published("coqa", "f1")
    assert coqa is not None
    assert coqa.value("117M") is None
    assert coqa.value("1542M") == 0.55


def test_a_result_that_is_not_comparable_has_no_published_value() -> None:
    assert published(None, "accuracy") is None
    assert published("lambada", "f1") is None


def test_no_metric_of_a_task_is_listed_twice() -> None:
    keys = [(score.task, score.metric, *score.under.items()) for score in paper().scores]
    assert len(set(keys)) == len(keys) == 33


def test_other_settings_have_other_values_or_none() -> None:
    partial = published("winograd", "accuracy", "winograd:1|schemas=273|scoring=partial")
    assert partial is not None
    assert partial.by_size == {"1542M": 70.70}
    assert published("winograd", "accuracy", "winograd:1|schemas=273|scoring=full") is None


def test_every_size_has_its_printed_and_its_true_name() -> None:
    names = [(size.printed, size.actual) for size in paper().sizes]
    assert names == [("117M", "124M"), ("345M", "355M"), ("762M", "774M"), ("1542M", "1558M")]


def test_table_4_ranks_the_hint_above_random_sentences() -> None:
    averages = {row.system: row.average for row in paper().summaries}
    assert averages["GPT-2 TL;DR:"] == 21.40
    assert averages["Random-3"] == 20.98
    assert averages["GPT-2 no hint"] == 15.03


def test_table_6_has_the_means_that_the_paper_states() -> None:
    rows = [row for row in paper().overlaps if row.source == "Table 6"]
    own = [row.own_train for row in rows if row.own_train is not None]
    assert round(sum(own) / 6, 1) == 5.9
    assert round(sum(row.webtext_train for row in rows) / 6, 1) == 3.2


def test_overlap_is_found_by_the_name_of_the_test_set() -> None:
    found = published_overlap("wikitext2")
    assert found is not None
    assert (found.own_train, found.webtext_train) == (0.66, 1.63)
    assert published_overlap("demo-cbt") is None
