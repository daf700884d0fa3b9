"""A study's rows, put together for the figures: one metric over the sizes of one series."""

from typing import NamedTuple

from wellread.formats import findings
from wellread.formats.findings import Fit
from wellread.formats.predictions import Predicted, ScoredPrediction
from wellread.formats.published import paper, published
from wellread.formats.studies import HELD_OUT_BITS, SIZE, TRAINING, GroupScore, Series, Study
from wellread.report.evidence import HELD_OUT, Evidence
from wellread.report.size_figures import Trend
from wellread.report.study_figures import Dot
from wellread.report.study_words import is_on_training, task_name

FAR = 10  # times our largest model: the paper's would squeeze ours into a corner
LOSSES = ("bits_per_byte", "perplexity")
Metric = tuple[str, str]  # task, metric


class Sizes(NamedTuple):
    """A series of models along the number of parameters, with all that the study has on it."""

    study: Study
    series: Series
    predicted: list[Predicted]  # scored or not
    comparable: dict[str, str]  # task -> the paper's, where its numbers may stand beside ours

    @property
    def num_others(self) -> int:
        """Series of sizes that are not this one."""
        return sum(one.axis == SIZE for one in self.study.series) - 1

    @property
    def num_parameters(self) -> dict[str, int]:
        return {group.name: group.num_parameters for group in self.study.groups}

    def scores(self, metric: Metric) -> list[GroupScore]:
        """Of each size that was not predicted, from small to large."""
        found = {s.group: s for s in self.study.group_scores if (s.task, s.metric) == metric}
        later = self._predicted_groups
        return [found[name] for name in self.series.groups if name in found and name not in later]

    def came(self, metric: Metric) -> list[GroupScore]:
        """Of the sizes that were predicted, those that have been trained."""
        later = self._predicted_groups
        return [
            score
            for score in self.study.group_scores
            if (score.task, score.metric) == metric and score.group in later
        ]

    @property
    def _predicted_groups(self) -> set[str]:
        return {group.name for group in self.study.groups if group.is_predicted}

    def fit(self, metric: Metric) -> Fit | None:
        """The form that predicts left out sizes better."""
        return next((fit for fit in self._forms(metric) if fit.is_better), None)

    def num_forms(self, metric: Metric) -> int:
        """How many forms were tried: three sizes cannot tell a power law."""
        return len(self._forms(metric))

    def _forms(self, metric: Metric) -> list[Fit]:
        return [fit for fit in self.fits if (fit.task, fit.metric) == metric]

    @property
    def losses(self) -> list[Metric]:
        """The held-out loss that is drawn, and that on training documents if there is such."""
        there = self.metrics()
        for metric in LOSSES:
            if (HELD_OUT, metric) in there:
                trained = [one for one in there if is_on_training(one[0]) and one[1] == metric]
                return [(HELD_OUT, metric), *trained[:1]]
        return [one for one in [(TRAINING, HELD_OUT_BITS)] if one in there]

    @property
    def trends(self) -> list[findings.Trend]:
        return [trend for trend in self.study.trends if trend.series == self.series.name]

    @property
    def ranked(self) -> list[findings.Trend]:
        """Of the tasks scored in shares; those that depend on size most are first."""
        found = [t for t in self.trends if t.unit == "share" and t.standardised is not None]
        return sorted(found, key=lambda t: (t.rank.value if t.rank else t.num_ranked, t.task))

    @property
    def underfitting(self) -> list[findings.Underfitting]:
        return [one for one in self.study.underfitting if one.series == self.series.name]

    @property
    def scored(self) -> list[ScoredPrediction]:
        return [p for p in self.study.predictions if p.predicted.series == self.series.name]

    @property
    def foretold(self) -> list[ScoredPrediction]:
        """One of each task: metrics of the same answers come in or stay out together."""
        is_evaluated = any(one.predicted.task == HELD_OUT for one in self.scored)
        found: dict[tuple[str, str], ScoredPrediction] = {}
        for one in sorted(self.scored, key=lambda one: one.predicted.unit == "perplexity"):
            if not (is_evaluated and one.predicted.task == TRAINING):
                found.setdefault((one.predicted.task, one.predicted.size), one)
        return list(found.values())

    @property
    def steps(self) -> list[findings.Suddenness]:
        return [one for one in self.study.suddenness if one.series == self.series.name]

    @property
    def fits(self) -> list[Fit]:
        return [fit for fit in self.study.fits if fit.series == self.series.name]

    def trend(self, metric: Metric) -> Trend:
        """For a figure; empty if no size has this metric."""
        sizes, scores, fit = self.num_parameters, self.scores(metric), self.fit(metric)
        groups = {run.name: run.group for run in self.study.runs}
        drawn = {score.group for score in scores}
        return Trend(
            title=task_name(metric[0]),
            metric=metric[1],
            dots=[Dot(sizes[s.group], s.value, s.low, s.high) for s in scores],
            runs=[
                (point.num_parameters, point.value)
                for point in self.study.points
                if (point.task, point.metric) == metric and groups.get(point.run) in drawn
            ],
            band=[Dot(p.num_parameters, p.value, p.low, p.high) for p in fit.curve] if fit else [],
            chance=next((s.chance for s in scores if s.chance is not None), None),
            predicted=[
                Dot(p.num_parameters, p.value, p.low, p.high)
                for p in self.predicted
                if (p.task, p.metric) == metric
            ],
            came=[Dot(sizes[s.group], s.value, s.low, s.high) for s in self.came(metric)],
            published=self._published(metric),
        )

    def _published(self, metric: Metric) -> list[tuple[float, float]]:
        """Parameters and score of the paper's models, if they are not far larger than these."""
        protocol = next((p.protocol for p in self.study.points if (p.task, p.metric) == metric), "")
        theirs = published(self.comparable.get(metric[0]), metric[1], protocol)
        sizes = {size.printed: 1e6 * float(size.actual.rstrip("M")) for size in paper().sizes}
        if theirs is None or min(sizes.values()) > FAR * max(self.num_parameters.values()):
            return []
        values = [(sizes[printed], theirs.value(printed)) for printed in theirs.by_size]
        return [(size, value) for size, value in values if value is not None]

    def metrics(self) -> list[Metric]:
        """In the study's order."""
        return list(dict.fromkeys((s.task, s.metric) for s in self.study.group_scores))


def sizes_in(study: Study) -> Sizes | None:
    """The study's first series of sizes; None: it has none."""
    series = next((s for s in study.series if s.axis == SIZE), None)
    if series is None:
        return None
    scored = [one.predicted for one in study.predictions if one.predicted.series == series.name]
    return Sizes(study, series, scored, {})


def sizes_of(evidence: Evidence) -> Sizes | None:
    """The same, with the papers' tasks, and with predictions that wait for their size."""
    found = sizes_in(evidence.study) if evidence.study else None
    if found is None:
        return None
    comparable = {
        result.stem: result.comparable_to
        for one in evidence.scored
        for result in one.results
        if result.comparable_to
    }
    waiting = evidence.prediction.predicted if evidence.prediction else []
    predicted = found.predicted or [p for p in waiting if p.series == found.series.name]
    return found._replace(predicted=predicted, comparable=comparable)
