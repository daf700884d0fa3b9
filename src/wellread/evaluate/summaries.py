"""Summaries by appending "TL;DR:" to an article (section 3.6)."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from wellread.base.errors import InputError
from wellread.base.seeds import generator, seed_for
from wellread.evaluate.metrics import MEAN, Metric, Outcome
from wellread.evaluate.task import Axis, Setup
from wellread.evaluate.written import Fitted, num_new, sentences, text_so_far
from wellread.formats.results import Item

HIGHLIGHT = "@highlight"
SOURCES = ("cnn", "dailymail")
HINTS = {"tldr": "\nTL;DR:", "none": ""}  # openai/gpt-2#33
TOP_K = 2  # paper, section 3.6
NUM_SENTENCES = 3  # "the first 3 generated sentences", section 3.6; Lede-3 and Random-3, table 4
AXES = {
    "hint": Axis(
        default="tldr", others=("none",), reason="table 4 has both: with `TL;DR:` and without"
    ),
    "tokens": Axis(
        default="100",
        takes_number=True,
        reason="the paper generates 100 tokens; models of a short context have room for fewer",
    ),
    "cut": Axis(
        default="end",
        others=("beginning",),
        reason="what an article too long loses; not in the paper. News says first what matters",
    ),
    "samples": Axis(
        default="1",
        takes_number=True,
        reason="summaries of each article, whose scores are averaged: they are drawn at random, "
        "and the paper does not say how often",
    ),
    "rouge": Axis(
        default="rougeLsum",
        others=("rougeL",),
        reason="table 4's Lede-3 has the R-L of whole summaries, split into sentences, as Perl's "
        "ROUGE computes it; that of the text as one sentence is lower",
    ),
}
ROUGE = Metric(
    statistic=MEAN.statistic, note=f"rouge-score {version('rouge-score')}, F1, with stemming"
)
BASELINE = msgspec.structs.replace(ROUGE, is_baseline=True)
METRICS = dict.fromkeys(["rouge1", "rouge2", "rougeL", "rouge_average"], ROUGE)
BASELINES = {f"{metric}_{name}": BASELINE for name in ("lede3", "random3") for metric in METRICS}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """An article and its highlights."""

    item: str
    article: str
    highlights: list[str]


class Summarised(NamedTuple):
    """What a model makes of an article."""

    summaries: list[list[str]]  # samples, of at most three sentences each
    is_truncated: bool  # the article did not fit


def read_story(path: Path) -> Story:
    """CNN/DailyMail's layout: an article, and `@highlight` before every highlight."""
    article, *highlights = path.read_text(encoding="utf-8").split(HIGHLIGHT)
    if not article.strip() or not highlights:
        raise InputError(f"{path}: not a story; expected text, then lines {HIGHLIGHT}")
    return Story(
        item=path.stem,
        article=article.strip(),
        highlights=[highlight.strip() for highlight in highlights],
    )


def read_stories(folder: Path) -> list[Story]:
    """The `.story` files of a folder, in order of name."""
    stories = [read_story(path) for path in sorted(folder.glob("*.story"))]
    if not stories:
        raise InputError(f"{folder}: no .story files here")
    return stories


def listed_stories(listing: Path) -> list[Path]:
    """The stories of a split, in the layout of See et al. 2017, whose text is not anonymised.

    `listing` has an address on each line; its SHA-1 names the file in `cnn/stories` or
    `dailymail/stories` beside it.
    """
    found = []
    for number, url in enumerate(listing.read_text(encoding="utf-8").splitlines(), start=1):
        name = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
        places = [listing.parent / f"{source}/stories/{name}.story" for source in SOURCES]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise InputError(
                f"{listing}:{number}: no {name}.story for {url} in "
                f"{' or '.join(f'{source}/stories' for source in SOURCES)} beside the list"
            )
        found.append(path)
    return found


def rouge(scorer: RougeScorer, target: str, summary: Sequence[str]) -> dict[str, float]:
    """F1 of each kind, and their mean, as table 4 has them."""
    found = scorer.score(target, "\n".join(summary))
    values = [float(one.fmeasure) for one in found.values()]
    return dict(zip(METRICS, [*values, sum(values) / len(values)], strict=True))


def random_sentences(story: Story, seed: int) -> list[str]:
    """Three of the article, or all if it has no more, in its order."""
    found = sentences(story.article)
    order = generator(seed, "random-3", story.item).permutation(len(found))
    return [found[place] for place in sorted(order[:NUM_SENTENCES])]


def fitted(setup: Setup, article: str) -> Fitted:
    """An article with the hint behind it; one too long is cut, and the hint is not."""
    hint = setup.tokenizer.encode(HINTS[setup.settings["hint"]])
    room = setup.lm.context - _num_new(setup) - len(hint)
    ids = setup.tokenizer.encode(article)
    kept = ids[:room] if setup.settings["cut"] == "end" else ids[-room:]
    return Fitted(np.concatenate([kept, hint]), len(ids) > room)


def _num_new(setup: Setup) -> int:
    return num_new(setup, int(setup.settings["tokens"]))


def write_summaries(setup: Setup, stories: Sequence[Story]) -> list[Summarised]:
    """Sampled summaries of each story."""
    num = int(setup.settings["samples"])
    every = [fitted(setup, story.article) for story in stories]
    found = setup.lm.generate(
        [one.ids for one in every for _ in range(num)],
        max_new_tokens=_num_new(setup),
        top_k=TOP_K,
        seeds=[
            seed_for(setup.seed, "summary", story.item, str(sample))
            for story in stories
            for sample in range(num)
        ],
        is_complete=lambda ids: len(sentences(text_so_far(setup, ids))) > NUM_SENTENCES,
    )
    written = [sentences(setup.tokenizer.decode(ids))[:NUM_SENTENCES] for ids, _ in found]
    return [
        Summarised(written[place * num : (place + 1) * num], one.is_truncated)
        for place, one in enumerate(every)
    ]


def score_summaries(setup: Setup, stories: Sequence[Story]) -> list[Outcome]:
    """ROUGE F1 of three sampled sentences, of the article's first three, and of any three."""
    scorer = RougeScorer(["rouge1", "rouge2", setup.settings["rouge"]], use_stemmer=True)
    outcomes = []
    for story, one in zip(stories, write_summaries(setup, stories), strict=True):
        target = "\n".join(story.highlights)
        rows = [rouge(scorer, target, summary) for summary in one.summaries]
        values = {name: sum(row[name] for row in rows) / len(rows) for name in METRICS}
        item = Item(
            item=story.item,
            text=story.article,
            prompt=story.article + HINTS[setup.settings["hint"]],
            target=target,
            prediction="\n".join(one.summaries[0]),
            value=values["rouge_average"],
        )
        baselines = {
            "lede3": sentences(story.article)[:NUM_SENTENCES],
            "random3": random_sentences(story, setup.seed),
        }
        for name, summary in baselines.items():
            scores = rouge(scorer, target, summary)
            values |= {f"{metric}_{name}": score for metric, score in scores.items()}
        outcomes.append(
            Outcome(
                item,
                {name: (value, 1) for name, value in values.items()},
                is_truncated=one.is_truncated,
            )
        )
    return outcomes
