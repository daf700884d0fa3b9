"""What a run's directory holds: its finished artifacts, and what the report reads of each."""

import os
import posixpath
import shlex
import tomllib
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import MANIFEST, Manifest, is_artifact, owner_of, read_manifest
from wellread.base.suggest import no_such
from wellread.formats import (
    clean_scores,
    copying,
    corpus_report,
    documents,
    links,
    metrics,
    overlap,
    pages,
    predictions,
    results,
    studies,
    tokens,
)
from wellread.formats.clean_scores import CleanScores
from wellread.formats.copying import Copying
from wellread.formats.corpus_report import CorpusReport, read_corpus_report
from wellread.formats.link_report import LinkReport, read_link_report
from wellread.formats.metrics import Step
from wellread.formats.overlap import Overlap
from wellread.formats.predictions import Prediction
from wellread.formats.published import paper
from wellread.formats.results import Result
from wellread.formats.studies import Study
from wellread.formats.tokens import TokensHeader
from wellread.report.blocks import Way, slug
from wellread.report.corpus_examples import CorpusExamples, read_examples
from wellread.report.vocabulary import Vocabulary, read_vocabulary

LINKS, CRAWL, CORPUS, TOKENS = links.STAGE, pages.STAGE, documents.STAGE, tokens.STAGE
EVALUATE, OVERLAP, STUDY = results.STAGE, overlap.STAGE, studies.STAGE
CLEAN, COPYING, PREDICTION = clean_scores.STAGE, copying.STAGE, predictions.STAGE
HELD_OUT, ON_TRAINING = "held-out", "split=train"  # a task, and its setting for training documents
SAMPLES = "samples"  # the task whose texts are for people to read
TOKENIZER, TRAIN = "tokenizer", "train"
RECIPE = "recipe.toml"  # what a run of a recipe keeps of it
OWN = "report"  # what this stage wrote earlier is no evidence
ORDER = (
    LINKS, CRAWL, CORPUS, documents.PLANTED, TOKENIZER, TOKENS, TRAIN, EVALUATE,
    overlap.INDEX_STAGE, OVERLAP, CLEAN, COPYING, PREDICTION, STUDY,
)  # fmt: skip
# Where a run keeps its artifacts: DIR, or DIR/NAME for runs and results.
PLACES = ("*", "*/*")
MOST_COPIED = 3  # samples that are shown
QUESTIONS = "natural-questions"


class Artifact(NamedTuple):
    name: str  # its directory within the run, "results/small"
    manifest: Manifest
    seconds: float  # that it took; of a training that was interrupted all of its sittings


class Training(NamedTuple):
    """A finished training run."""

    name: str
    artifact: Artifact
    steps: list[Step]


class Sample(NamedTuple):
    """A text that a model wrote."""

    item: str
    prompt: str
    continuation: str


class Answer(NamedTuple):
    """An answer of a model to a question, as in the paper's Table 5."""

    question: str
    answer: str
    is_right: bool
    probability: float


class Scored(NamedTuple):
    """The results of one model."""

    name: str
    artifact: Artifact
    is_ours: bool  # trained by a run of ours, rather than brought in
    results: list[Result]  # those with scores, one for each task that was asked for
    samples: list[Sample]
    on_training: Result | None  # as the task of held-out documents, on training documents


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the report is made of."""

    name: str  # of the run's directory
    place: str  # of that directory, from where the report is
    prefix: str  # of ids on the page, where it is of several runs
    artifacts: list[Artifact]
    unfinished: list[tuple[str, str]]  # (directory, stage) with work begun and no manifest
    trainings: list[Training]
    scored: list[Scored]
    links: LinkReport | None
    corpus: CorpusReport | None  # None: no corpus, or one made before there were such reports
    corpus_examples: CorpusExamples | None
    vocabulary: Vocabulary | None
    tokens: TokensHeader | None
    overlap: Overlap | None
    clean: CleanScores | None
    copying: Copying | None
    most_copied: list[dict[str, Any]]  # rows of formats.copying.TEXTS
    surest: list[Answer]  # of the largest model that was asked Natural Questions
    prediction: Prediction | None
    study: Study | None
    planned: dict[str, Any]  # the section [study] of the recipe that the run is of; {}: none

    def first(self, stage: str) -> Artifact | None:
        return next((a for a in self.artifacts if a.manifest.stage == stage), None)

    @property
    def models(self) -> list[str]:
        names = [one.name for one in self.trainings] + [one.name for one in self.scored]
        return list(dict.fromkeys(names))

    def series(self, model: str) -> int:
        """The number of a model, the same in every figure."""
        return self.models.index(model)

    def anchor(self, artifact: str) -> str:
        """The id of an artifact's entry in the chain of manifests."""
        return f"{self.prefix}artifact-{slug(artifact)}"

    def ways_to(self, stage: str) -> list[Way]:
        """To each artifact of a stage."""
        return [self.why(a.name) for a in self.artifacts if a.manifest.stage == stage]

    def why(self, path: str) -> Way:
        """The way back from `path`, an artifact of the run or a file in one."""
        folder = path if any(a.name == path for a in self.artifacts) else posixpath.dirname(path)
        command = f"wellread why {shlex.quote(posixpath.join(self.place, path))}"
        return Way(path.removesuffix(".json"), self.anchor(folder), command)


def find_artifacts(run: Path) -> list[Path]:
    """The directories of the finished artifacts in `run`, sorted."""
    if not run.exists():
        raise no_such(run, "the folder of a run")
    if not run.is_dir() or is_artifact(run):
        what = f"one artifact, of stage {read_manifest(run).stage!r}" if run.is_dir() else "a file"
        raise InputError(f"{run}: {what}; name the folder of a run, in which each stage has one")
    found = sorted(path for place in PLACES for path in run.glob(place) if is_artifact(path))
    found = [path for path in found if read_manifest(path).stage != OWN]
    if not found:
        raise InputError(
            f"{run}: holds no finished artifact (no {MANIFEST} one or two levels below); "
            "name the directory of a run"
        )
    return found


def read_evidence(
    run: Path,
    found: list[Path],
    out: Path,
    *,
    samples: int,
    name: str | None = None,
    is_one: bool = True,
) -> Evidence:
    """Read what a report in `out` needs of the artifacts `found` in `run`.

    Of several runs each is to have its own `name`, of which the ids of its artifacts are made.
    """
    name = name or run.resolve().name
    manifests = {path: read_manifest(path) for path in found}
    logged = {
        path: list(metrics.read_metrics(path))
        for path, manifest in manifests.items()
        if manifest.stage == TRAIN
    }
    artifacts = sorted(
        (
            Artifact(
                path.relative_to(run).as_posix(),
                manifest,
                metrics.seconds_spent(manifest, logged.get(path, ())),
            )
            for path, manifest in manifests.items()
        ),
        key=_place,
    )
    by_stage = {artifact.manifest.stage: artifact for artifact in reversed(artifacts)}

    def read(stage: str, reader: Any) -> Any:
        return reader(run / by_stage[stage].name) if stage in by_stage else None

    trainings = [
        Training(posixpath.basename(a.name), a, logged[run / a.name])
        for a in artifacts
        if a.manifest.stage == TRAIN
    ]
    scored = [_scored(run, a, samples) for a in artifacts if a.manifest.stage == EVALUATE]
    scored = _in_order_of(trainings, scored)
    return Evidence(
        name=name,
        place=Path(os.path.relpath(run.resolve(), out.resolve())).as_posix(),
        prefix="" if is_one else f"{slug(name)}-",
        artifacts=artifacts,
        unfinished=_unfinished(run),
        trainings=trainings,
        scored=scored,
        links=read(LINKS, read_link_report),
        corpus=read(CORPUS, _corpus_report),
        corpus_examples=read(CORPUS, read_examples),
        vocabulary=read(TOKENIZER, read_vocabulary),
        tokens=read(TOKENS, tokens.read_header),
        overlap=read(OVERLAP, overlap.read_overlap),
        clean=read(CLEAN, clean_scores.read_clean_scores),
        copying=read(COPYING, copying.read_copying),
        most_copied=read(COPYING, partial(copying.most_copied, number=MOST_COPIED)) or [],
        surest=_surest(run, scored),
        prediction=read(PREDICTION, predictions.read_prediction),
        study=read(STUDY, studies.read_study),
        planned=_planned(run / RECIPE),
    )


def _planned(recipe: Path) -> dict[str, Any]:
    found = tomllib.loads(recipe.read_text(encoding="utf-8")) if recipe.is_file() else {}
    planned: dict[str, Any] = found.get("study", {})
    return planned


def _place(artifact: Artifact) -> tuple[int, int, str]:
    """The pipeline's order, models from small to large; what made its inputs comes before."""
    stage = artifact.manifest.stage
    place = ORDER.index(stage) if stage in ORDER else -1
    return place, artifact.manifest.facts.get("num_parameters", 0), artifact.name


def _in_order_of(trainings: list[Training], scored: list[Scored]) -> list[Scored]:
    names = [training.name for training in trainings]
    known = {name: place for place, name in enumerate(names)}
    return sorted(scored, key=lambda one: (known.get(one.name, len(names)), one.name))


def _corpus_report(directory: Path) -> CorpusReport | None:
    is_there = (directory / corpus_report.NAME).is_file()
    return read_corpus_report(directory) if is_there else None


def _unfinished(run: Path) -> list[tuple[str, str]]:
    begun = sorted(p for place in PLACES for p in run.glob(place) if not is_artifact(p))
    owners = [(path.relative_to(run).as_posix(), owner_of(path)) for path in begun]
    return [(name, stage) for name, stage in owners if stage not in (None, OWN)]


def _scored(run: Path, artifact: Artifact, samples: int) -> Scored:
    directory = run / artifact.name
    every = results.read_results(directory, variants=True)
    found = [result for result in every if "," not in result.stem]
    rows = (
        row
        for result in found
        if result.task == SAMPLES
        for row in results.read_items(directory, result.task)
    )
    on_training = next(
        (o for o in every if o.task == HELD_OUT and ON_TRAINING in o.protocol.split("|")), None
    )
    asked = _asked(artifact.manifest)
    chosen = [one for one in every if "," not in one.stem or _settings(one.stem, ",") in asked]
    inputs = [one for group in artifact.manifest.inputs.values() for one in group]
    return Scored(
        name=posixpath.basename(artifact.name),
        artifact=artifact,
        is_ours=any(one.stage == TRAIN for one in inputs),
        results=[one for one in chosen if one.scores and one is not on_training],
        samples=[
            Sample(row["item"], row["prompt"] or "", row["prediction"] or "")
            for row in islice(rows, samples)
        ],
        on_training=on_training,
    )


def _asked(manifest: Manifest) -> list[tuple[str, frozenset[str]]]:
    """The tasks named with settings: other variants are settings tried on a task, no tasks."""
    named = [name for name in manifest.config.get("tasks") or [] if isinstance(name, str)]
    return [_settings(name, "|") for name in named]


def _settings(name: str, mark: str) -> tuple[str, frozenset[str]]:
    task, *settings = name.split(mark)
    return task, frozenset(settings)


def _surest(run: Path, scored: list[Scored]) -> list[Answer]:
    asked = [one for one in scored if any(result.task == QUESTIONS for result in one.results)]
    if not asked:
        return []
    found = results.surest_first(results.read_items(run / asked[-1].artifact.name, QUESTIONS))
    return [
        Answer(
            question=results.question_of(row),
            answer=row["prediction"] or "(empty)",
            is_right=row["value"] == 1,
            probability=row["confidence"],
        )
        for row in found[: paper().answers.num_shown]
    ]
