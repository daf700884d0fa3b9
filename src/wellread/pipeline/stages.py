"""The one table of stages: what each is called, where it writes, what it takes."""

import importlib
from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from wellread.base.config import Config

Kind = Literal["files", "one", "many", "run"]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table. `takes` names the function's arguments that are paths."""

    name: str
    section: str  # of the recipe
    directory: str  # under the run's directory; {run} is the run's name
    function: str  # "module:function"
    config: str  # "module:Config"
    takes: dict[str, tuple[str, ...]]  # argument -> stages whose directories it gets; see `sources`
    many: frozenset[str] = frozenset()  # arguments that are lists of paths
    given: frozenset[str] = frozenset()  # arguments that the recipe's section may name files for
    optional: frozenset[str] = frozenset()  # arguments left out if their stage is not in the recipe
    varies: bool = False  # a study may vary its settings: once for each combination of them
    per_run: bool = False  # once for each model that the recipe trains
    foretells: bool = False  # from the runs before those that [study] predicts, which wait for it
    key: str | None = None  # only where its section has this
    tasks: frozenset[str] = frozenset()  # only where [evaluate] has one of these
    check: str | None = None  # "module:function" of the config: refuses what it can before any work

    def is_wanted(self, raw: Mapping[str, Any]) -> bool:
        """Whether the sections `raw` of a recipe ask for it."""
        evaluated = raw.get("evaluate", {}).get("tasks", [])
        named = {str(task).partition("|")[0].partition(":")[0] for task in evaluated}
        return (
            self.section in raw
            and (self.key is None or bool(raw[self.section].get(self.key)))
            and (not self.tasks or bool(self.tasks & named))
        )

    def sources(self, present: Collection[str]) -> dict[str, list[str]]:
        """By argument the stages that it takes, of those `present`: of several paths, or one, the
        first that is there.
        """
        found = {}
        for argument, names in self.takes.items():
            there = [name for name in names if name in present]
            found[argument] = there if argument in self.many else there[:1]
        return found

    def load_function(self) -> Any:
        return _load(self.function)

    def load_config(self) -> type[Config]:
        found: type[Config] = _load(self.config)
        return found

    def check_config(self, config: Config) -> None:
        if self.check is not None:
            _load(self.check)(config)


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            name="links",
            section="links",
            directory="links",
            function="wellread.links.harvest:harvest_links",
            config="wellread.links.config:LinksConfig",
            takes={"dumps": ()},
            many=frozenset({"dumps"}),
            given=frozenset({"dumps"}),
        ),
        Stage(
            name="crawl",
            section="crawl",
            directory="pages",
            function="wellread.crawl.stage:crawl",
            config="wellread.crawl.config:CrawlConfig",
            takes={"links": ("links",)},
        ),
        Stage(
            name="corpus",
            section="corpus",
            directory="corpus",
            function="wellread.corpus.build:build_corpus",
            config="wellread.corpus.config:CorpusConfig",
            takes={"sources": ("crawl",), "links": ("links",)},
            many=frozenset({"sources"}),
            given=frozenset({"sources"}),
            optional=frozenset({"links"}),
            varies=True,
        ),
        Stage(
            name="plant",
            section="plant",
            directory="planted",
            function="wellread.corpus.plant:plant",
            config="wellread.corpus.config:PlantConfig",
            takes={"corpus": ("corpus",)},
            varies=True,
        ),
        Stage(
            name="tokenizer",
            section="tokenizer",
            directory="tokenizer",
            function="wellread.tokenizer.build:train_tokenizer",
            config="wellread.tokenizer.config:TokenizerConfig",
            takes={"corpus": ("corpus",)},
            varies=True,
        ),
        Stage(
            name="tokens",
            section="tokens",
            directory="tokens",
            function="wellread.tokens.build:tokenize_corpus",
            config="wellread.tokens.config:TokensConfig",
            takes={"corpus": ("plant", "corpus"), "tokenizer": ("tokenizer",)},
            varies=True,
        ),
        Stage(
            name="train",
            section="train",
            directory="runs/{run}",
            function="wellread.train.build:train",
            config="wellread.train.config:TrainConfig",
            takes={"tokens": ("tokens",)},
            varies=True,
            per_run=True,
        ),
        Stage(
            name="evaluate",
            section="evaluate",
            directory="results/{run}",
            function="wellread.evaluate.run:evaluate",
            config="wellread.evaluate.config:EvaluateConfig",
            check="wellread.evaluate.plan:check_files",
            takes={"model": ("train",), "corpus": ("corpus",)},
            optional=frozenset({"corpus"}),
            per_run=True,
        ),
        Stage(
            name="study predict",
            section="study",
            key="predict",
            directory="prediction",
            function="wellread.studies.predict:predict_study",
            config="wellread.studies.config:StudyConfig",
            takes={"results": ("evaluate",)},
            many=frozenset({"results"}),
            foretells=True,
        ),
        Stage(
            name="overlap index",
            section="overlap",
            directory="index",
            function="wellread.overlap.index:index_corpus",
            config="wellread.overlap.config:OverlapConfig",
            takes={"corpus": ("plant", "corpus")},
        ),
        Stage(
            name="overlap measure",
            section="overlap",
            directory="overlap",
            function="wellread.overlap.measure:measure_test_sets",
            config="wellread.overlap.config:OverlapConfig",
            takes={"index": ("overlap index",), "tests": ("evaluate",)},
            many=frozenset({"tests"}),
        ),
        Stage(
            name="overlap clean",
            section="overlap",
            directory="clean-scores",
            function="wellread.evaluate.clean:clean_scores",
            config="wellread.overlap.config:OverlapConfig",
            takes={"overlap": ("overlap measure",), "results": ("evaluate",)},
            many=frozenset({"results"}),
        ),
        Stage(
            name="overlap copied",
            section="overlap",
            directory="copying",
            function="wellread.overlap.copied:measure_copying",
            config="wellread.overlap.config:OverlapConfig",
            takes={
                "index": ("overlap index",),
                "results": ("evaluate",),
                "corpus": ("plant", "corpus"),
            },
            many=frozenset({"results"}),
            tasks=frozenset({"copying-samples", "extraction"}),
        ),
        Stage(
            name="study",
            section="study",
            directory="study",
            function="wellread.pipeline.study:fit_study",
            config="wellread.studies.config:StudyConfig",
            takes={"results": ("evaluate",), "prediction": ("study predict",)},
            many=frozenset({"results"}),
            optional=frozenset({"prediction"}),
        ),
    )
}
REPORT = "report"  # takes the run's whole directory, so it has no row
