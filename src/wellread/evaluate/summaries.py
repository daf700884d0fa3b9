"""Summaries by appending "TL;DR:" to an article (section 3.6)."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from wellread.base.errors import InputError
from wellread.base.seeds import seed_for
from wellread.evaluate.metrics import MEAN, Metric, Outcome
from wellread.evaluate.task import Axis, Setup
from wellread.formats.results import Item

HIGHLIGHT = "@highlight"
HINT = "\nTL;DR:"  # openai/gpt-2#33
TOP_K = 2  # paper, section 3.6
NUM_SENTENCES = 3  # "the first 3 generated sentences", section 3.6
NEW_TOKENS = Axis(
    default="100",
    takes_number=True,
    reason="the paper generates 100 tokens; models of a short context have room for fewer",
)
# Table 4's R-L is the summary-level one.
ROUGE = {"rouge1": "rouge1", "rouge2": "rouge2", "rougeL": "rougeLsum"}
METRICS: dict[str, Metric] = {**dict.fromkeys(ROUGE, MEAN), "rouge_average": MEAN}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """An article and its highlights."""

    item: str
    article: str
    highlights: list[str]


def read_stories(folder: Path) -> list[Story]:
    """CNN/DailyMail's layout: one `.story` file each, `@highlight` before every highlight."""
    stories = []
    for path in sorted(folder.glob("*.story")):
        article, *highlights = path.read_text(encoding="utf-8").split(HIGHLIGHT)
        if not article.strip() or not highlights:
            raise InputError(f"{path}: not a story; expected text, then lines {HIGHLIGHT}")
        stories.append(
            Story(
                item=path.stem,
                article=article.strip(),
                highlights=[highlight.strip() for highlight in highlights],
            )
        )
    if not stories:
        raise InputError(f"{folder}: no .story files here")
    return stories


def sentences(text: str) -> list[str]:
    """
    >>> sentences("It works. Does it? Yes")
    ['It works.', 'Does it?', 'Yes']
    """
    return [part for part in re.split(r"(?<=[.!?])\s+|\n+", text.strip()) if part]


def score_summaries(setup: Setup, stories: Sequence[Story]) -> list[Outcome]:
    """ROUGE F1 of three sampled sentences; an article too long loses its end, not the hint."""
    new = min(int(setup.settings["tokens"]), setup.lm.context // 2)
    hint = setup.tokenizer.encode(HINT)
    room = setup.lm.context - new - len(hint)
    articles = [setup.tokenizer.encode(story.article) for story in stories]
    found = setup.lm.generate(
        [np.concatenate([article[:room], hint]) for article in articles],
        max_new_tokens=new,
        top_k=TOP_K,
        seeds=[seed_for(setup.seed, "summary", story.item) for story in stories],
    )
    scorer = RougeScorer(list(ROUGE.values()), use_stemmer=True)
    outcomes = []
    for story, article, generated in zip(stories, articles, found, strict=True):
        summary = "\n".join(sentences(setup.tokenizer.decode(generated))[:NUM_SENTENCES])
        target = "\n".join(story.highlights)
        rouge = scorer.score(target, summary)
        values = {name: rouge[key].fmeasure for name, key in ROUGE.items()}
        values["rouge_average"] = sum(values.values()) / len(values)
        item = Item(
            item=story.item,
            text=story.article,
            prompt=story.article + HINT,
            target=target,
            prediction=summary,
            value=values["rouge_average"],
        )
        outcomes.append(
            Outcome(
                item,
                {name: (value, 1) for name, value in values.items()},
                is_truncated=len(article) > room,
            )
        )
    return outcomes
