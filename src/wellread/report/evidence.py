"""What a run's directory holds: its finished artifacts, and what the report reads of each."""

import posixpath
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import MANIFEST, Manifest, is_artifact, owner_of, read_manifest
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
from wellread.formats.results import Result
from wellread.formats.studies import Study
from wellread.formats.tokens import TokensHeader

LINKS, CRAWL, CORPUS, TOKENS = links.STAGE, pages.STAGE, documents.STAGE, tokens.STAGE
EVALUATE, OVERLAP, STUDY = results.STAGE, overlap.STAGE, studies.STAGE
CLEAN, COPYING, PREDICTION = clean_scores.STAGE, copying.STAGE, predictions.STAGE
HELD_OUT, ON_TRAINING = "held-out", "split=train"  # a task, and its setting for training documents
SAMPLES = "samples"  # the task whose texts are for people to read
TOKENIZER, TRAIN = "tokenizer", "train"
OWN = "report"  # what this stage wrote earlier is no evidence
ORDER = (
    LINKS, CRAWL, CORPUS, TOKENIZER, TOKENS, TRAIN, EVALUATE, overlap.INDEX_STAGE, OVERLAP, CLEAN,
    COPYING, PREDICTION, STUDY,
)  # fmt: skip
# Where a run keeps its artifacts: DIR, or DIR/NAME for runs and results.
PLACES = ("*", "*/*")
MOST_COPIED = 3  # samples that are shown


class Artifact(NamedTuple):
    name: str  # its directory within the run, "results/small"
    manifest: Manifest


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


class Scored(NamedTuple):
    """The results of one model."""

    name: str
    artifact: Artifact
    is_ours: bool  # trained by a run of ours, rather than brought in
    results: list[Result]  # those with scores
    samples: list[Sample]
    on_training: Result | None  # as the task of held-out documents, on training documents


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the report is made of."""

    name: str  # of the run's directory
    artifacts: list[Artifact]
    unfinished: list[tuple[str, str]]  # (directory, stage) with work begun and no manifest
    trainings: list[Training]
    scored: list[Scored]
    links: LinkReport | None
    corpus: CorpusReport | None  # None: no corpus, or one made before there were such reports
    tokens: TokensHeader | None
    overlap: Overlap | None
    clean: CleanScores | None
    copying: Copying | None
    most_copied: list[dict[str, Any]]  # rows of formats.copying.TEXTS
    prediction: Prediction | None
    study: Study | None

    def first(self, stage: str) -> Artifact | None:
        return next((a for a in self.artifacts if a.manifest.stage == stage), None)

    @property
    def models(self) -> list[str]:
        names = [one.name for one in self.trainings] + [one.name for one in self.scored]
        return list(dict.fromkeys(names))

    def series(self, model: str) -> int:
        """The number of a model, the same in every figure."""
        return self.models.index(model)

    def why(self, path: str) -> str:
        """The command that walks back from `path`, a place in the run."""
        return f"wellread why {posixpath.join(self.name, path)}"


def find_artifacts(run: Path) -> list[Path]:
    """The directories of the finished artifacts in `run`, sorted."""
    if not run.is_dir():
        raise InputError(f"{run}: there is no such directory; name the directory of a run")
    found = sorted(path for place in PLACES for path in run.glob(place) if is_artifact(path))
    found = [path for path in found if read_manifest(path).stage != OWN]
    if not found:
        raise InputError(
            f"{run}: holds no finished artifact (no {MANIFEST} one or two levels below); "
            "name the directory of a run"
        )
    return found


def read_evidence(run: Path, found: list[Path], *, samples: int) -> Evidence:
    """Read what the report needs of the artifacts `found` in `run`."""
    artifacts = sorted(
        (Artifact(path.relative_to(run).as_posix(), read_manifest(path)) for path in found),
        key=_place,
    )
    by_stage = {artifact.manifest.stage: artifact for artifact in reversed(artifacts)}

    def read(stage: str, reader: Any) -> Any:
        return reader(run / by_stage[stage].name) if stage in by_stage else None

    trainings = [_training(run, a) for a in artifacts if a.manifest.stage == TRAIN]
    scored = [_scored(run, a, samples) for a in artifacts if a.manifest.stage == EVALUATE]
    return Evidence(
        name=run.resolve().name,
        artifacts=artifacts,
        unfinished=_unfinished(run),
        trainings=trainings,
        scored=_in_order_of(trainings, scored),
        links=read(LINKS, read_link_report),
        corpus=read(CORPUS, _corpus_report),
        tokens=read(TOKENS, tokens.read_header),
        overlap=read(OVERLAP, overlap.read_overlap),
        clean=read(CLEAN, clean_scores.read_clean_scores),
        copying=read(COPYING, copying.read_copying),
        most_copied=read(COPYING, partial(copying.most_copied, number=MOST_COPIED)) or [],
        prediction=read(PREDICTION, predictions.read_prediction),
        study=read(STUDY, studies.read_study),
    )


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


def _training(run: Path, artifact: Artifact) -> Training:
    steps = list(metrics.read_metrics(run / artifact.name))
    return Training(posixpath.basename(artifact.name), artifact, steps)


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
    on_training = (
        one for one in every if one.task == HELD_OUT and ON_TRAINING in one.protocol.split("|")
    )
    inputs = [one for group in artifact.manifest.inputs.values() for one in group]
    return Scored(
        name=posixpath.basename(artifact.name),
        artifact=artifact,
        is_ours=any(one.stage == TRAIN for one in inputs),
        results=[result for result in found if result.scores],
        samples=[
            Sample(row["item"], row["prompt"] or "", row["prediction"] or "")
            for row in islice(rows, samples)
        ],
        on_training=next(on_training, None),
    )
