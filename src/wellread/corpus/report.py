"""A corpus in numbers, as its artifact has them, and its sites beside WebText's."""

from collections import Counter
from pathlib import Path

import duckdb
import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.base.urls import registered_name
from wellread.formats.corpus_report import NAME, CorpusReport, read_corpus_report
from wellread.formats.documents import STAGE, documents_files, read_corpus
from wellread.formats.sorting import named
from wellread.formats.webtext_domains import rank_correlation, read_domains


def report_corpus(corpus: Path, *, webtext_domains: Path | None = None) -> CorpusReport:
    """What the artifact `corpus` holds.

    `webtext_domains` is OpenAI's list of WebText's 1,000 most frequent domains: a line each, the
    count and the name without its public suffix.
    """
    read_artifact(corpus, STAGE)
    if not (corpus / NAME).is_file():
        raise InputError(f"{corpus}: has no {NAME}; make the corpus again")
    found = read_corpus_report(corpus)
    if webtext_domains is None:
        return found
    webtext = read_domains(webtext_domains)
    # Of all names: the report has only those with most documents.
    correlation, shared = rank_correlation(_names(corpus), webtext)
    domains = [
        msgspec.structs.replace(row, webtext_links=webtext.get(row.name)) for row in found.domains
    ]
    return msgspec.structs.replace(
        found, domains=domains, rank_correlation=correlation, shared_names=shared
    )


def _names(corpus: Path) -> Counter[str]:
    files = documents_files(corpus)
    if any(file.suffix != ".parquet" for file in files):
        domains = Counter(document.domain for document in read_corpus(corpus))
    else:
        with duckdb.connect() as database:
            table = database.read_parquet(named(files))
            domains = Counter(dict(table.aggregate("domain, count(*)").fetchall()))
    by_name: Counter[str] = Counter()
    for domain, count in domains.items():
        by_name[registered_name(domain)] += count
    return by_name
