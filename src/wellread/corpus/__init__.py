"""From pages to documents: main text, language, cleaning, duplicates, split."""

from wellread.corpus.build import CorpusConfig, build_corpus

__all__ = ["CorpusConfig", "build_corpus"]
