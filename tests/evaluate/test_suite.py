"""Suites, the protocols of a task, and a limited time."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from wellread.base.errors import InputError
from wellread.evaluate.budget import Estimate, probe, shares
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, Request, Scored
from wellread.evaluate.plan import chosen_tasks, prepare
from wellread.evaluate.run import evaluate_task
from wellread.evaluate.suite import suite_tasks
from wellread.evaluate.task import Setup
from wellread.tokenizer.tokenizer import Tokenizer


def test_the_papers_suite_is_every_task_that_it_has_a_number_of() -> None:
    assert suite_tasks("paper") == [
        "lambada", "cbt-cn", "cbt-ne", "wikitext2", "ptb", "enwik8", "text8", "wikitext103", "1bw",
        "winograd", "coqa", "cnn-dm", "cnn-dm|hint=none", "wmt14-en-fr", "wmt14-fr-en",
        "natural-questions",
    ]  # fmt: skip


def test_of_a_suite_what_has_no_data_is_left_out_with_the_reason(
    tmp_path: Path, corpus: Path
) -> None:
    config = EvaluateConfig(suite="paper", tasks=["demo-cbt"], data=tmp_path)
    plan = prepare(config, corpus)
    assert [one.stem for one in plan.prepared] == ["demo-cbt"]
    assert plan.not_run.keys() == {name.replace("|", ",") for name in suite_tasks("paper")}
    assert "there is no such file. It is https://openaipublic" in plan.not_run["lambada"]
    with pytest.raises(InputError, match=r"no task of the suite can be run: .*there is no such"):
        prepare(EvaluateConfig(suite="paper", data=tmp_path), corpus)
    with pytest.raises(InputError, match="there is no such file"):
        prepare(EvaluateConfig(suite="paper", tasks=["ptb", "demo-cbt"], data=tmp_path), corpus)


def test_the_axes_are_tried_one_at_a_time_or_all_together() -> None:
    def stems(axes: Any, *tasks: str) -> list[str]:
        return list(chosen_tasks(EvaluateConfig(tasks=list(tasks), axes=axes)))

    assert stems("default", "demo-lambada") == ["demo-lambada"]
    assert stems("each", "demo-lambada") == [
        "demo-lambada", "demo-lambada,target=token", "demo-lambada,filter=stop-words",
    ]  # fmt: skip
    assert stems("all", "demo-lambada")[3:] == ["demo-lambada,target=token,filter=stop-words"]
    assert stems("default", "demo-cbt|scope=choice", "demo-cbt") == ["demo-cbt", "demo-cbt,default"]
    with pytest.raises(InputError, match="task 'demo-cbt' is of version 1 here, not 7"):
        stems("default", "demo-cbt:7|scope=choice")


class Slow:
    """Takes a hundredth of a second for each request."""

    context, end_of_text = 1_000_000, 256

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        time.sleep(0.01 * len(requests))
        return [Scored(-1.0 * (r.continuation >= 0), is_greedy=False) for r in requests]


def test_a_task_ends_when_its_share_of_the_time_is_over(byte_tokenizer: Tokenizer) -> None:
    lm: Any = Slow()
    [prepared] = prepare(EvaluateConfig(tasks=["demo-lambada"])).prepared
    needs = probe(Setup(lm, byte_tokenizer, prepared.chosen.settings, 0), prepared)
    assert needs == pytest.approx(0.2, rel=0.5)
    estimate = Estimate("", 20, needs, 0.08)
    result, items = evaluate_task(lm, byte_tokenizer, prepared, estimate=estimate)
    assert 1 <= result.num_items == len(items) < 20
    assert f"a subset: {len(items)} of 20" in result.note
    numbers = [int(item.item) for item in items]
    assert numbers == sorted(numbers)
    assert numbers != list(range(1, len(items) + 1))  # not merely the first ones
    hopeful = Estimate("", 20, needs / 4, needs / 4)  # has time for all, it was thought
    whole = evaluate_task(lm, byte_tokenizer, prepared, estimate=hopeful)
    assert whole.result.num_items == 20


def test_shares_are_even_and_no_larger_than_needed() -> None:
    assert shares([5.0, 0.5, 5.0], 3.0) == [1.25, 0.5, 1.25]
    assert shares([1.0, 2.0], 60.0) == [1.0, 2.0]


def test_a_limited_time_is_more_than_none(uniform: LanguageModel) -> None:
    with pytest.raises(ValueError, match="`budget` is 0, expected more than 0 minutes"):
        EvaluateConfig(tasks=["demo-cbt"], budget=0)
