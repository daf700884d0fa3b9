"""GPT-2's system as one package: links, corpus, tokenizer, training, evaluation, report.

The names below are loaded when first used, so that `import wellread` is quick and PyTorch is only
loaded when a model is touched.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from wellread.base.errors import WellreadError as WellreadError
from wellread.base.errors import missing_library

if TYPE_CHECKING:
    from wellread.corpus.build import build_corpus as build_corpus
    from wellread.corpus.config import CorpusConfig as CorpusConfig
    from wellread.crawl.config import CrawlConfig as CrawlConfig
    from wellread.crawl.stage import crawl as crawl
    from wellread.evaluate.scores import evaluate as evaluate
    from wellread.generation.sample import Sampling as Sampling
    from wellread.generation.sample import generate as generate
    from wellread.generation.sample import sample_texts as sample_texts
    from wellread.generation.sample import stream_text as stream_text
    from wellread.links.config import LinksConfig as LinksConfig
    from wellread.links.harvest import harvest_links as harvest_links
    from wellread.model.load import load_model as load_model
    from wellread.model.load import load_tokenizer as load_tokenizer
    from wellread.model.sizes import ModelConfig as ModelConfig
    from wellread.overlap.config import OverlapConfig as OverlapConfig
    from wellread.overlap.copied import measure_copying as measure_copying
    from wellread.overlap.index import build_overlap_index as build_overlap_index
    from wellread.overlap.measure import measure_overlap as measure_overlap
    from wellread.overlap.show import show_passages as show_passages
    from wellread.pipeline.plan import run_recipe as run_recipe
    from wellread.report.build import write_report as write_report
    from wellread.report.config import ReportConfig as ReportConfig
    from wellread.tokenizer.build import train_tokenizer as train_tokenizer
    from wellread.tokenizer.config import TokenizerConfig as TokenizerConfig
    from wellread.tokenizer.tokenizer import Tokenizer as Tokenizer
    from wellread.tokens.build import tokenize_corpus as tokenize_corpus
    from wellread.tokens.config import TokensConfig as TokensConfig
    from wellread.train.build import train as train
    from wellread.train.config import TrainConfig as TrainConfig

_PLACES = {
    "CorpusConfig": "wellread.corpus.config",
    "CrawlConfig": "wellread.crawl.config",
    "LinksConfig": "wellread.links.config",
    "ModelConfig": "wellread.model.sizes",
    "OverlapConfig": "wellread.overlap.config",
    "ReportConfig": "wellread.report.config",
    "Sampling": "wellread.generation.sample",
    "Tokenizer": "wellread.tokenizer.tokenizer",
    "TokenizerConfig": "wellread.tokenizer.config",
    "TokensConfig": "wellread.tokens.config",
    "TrainConfig": "wellread.train.config",
    "build_corpus": "wellread.corpus.build",
    "build_overlap_index": "wellread.overlap.index",
    "crawl": "wellread.crawl.stage",
    "evaluate": "wellread.evaluate.scores",
    "generate": "wellread.generation.sample",
    "harvest_links": "wellread.links.harvest",
    "load_model": "wellread.model.load",
    "load_tokenizer": "wellread.model.load",
    "measure_copying": "wellread.overlap.copied",
    "measure_overlap": "wellread.overlap.measure",
    "run_recipe": "wellread.pipeline.plan",
    "sample_texts": "wellread.generation.sample",
    "show_passages": "wellread.overlap.show",
    "stream_text": "wellread.generation.sample",
    "tokenize_corpus": "wellread.tokens.build",
    "train": "wellread.train.build",
    "train_tokenizer": "wellread.tokenizer.build",
    "write_report": "wellread.report.build",
}
__all__ = list(_PLACES)


if not TYPE_CHECKING:  # to which any name would be one of ours

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            # With name and obj Python itself suggests the nearest.
            what = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(what, name=name, obj=sys.modules[__name__])
        # crawl, evaluate and train are packages too: once imported, these answer to the call.
        try:
            return getattr(importlib.import_module(_PLACES[name]), name)
        except ModuleNotFoundError as error:
            raise missing_library(error) from None


def __dir__() -> list[str]:
    return sorted([*__all__, "WellreadError"])
