"""The stage `corpus`: pages and ready documents in, documents out, an account of every record."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wellread.base.config import deciding, to_plain
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import (
    MAX_EXAMPLES,
    Draft,
    Manifest,
    finished,
    read_artifact,
    read_manifest,
    writing,
)
from wellread.base.previous import LASTING
from wellread.base.progress import Progress, silent
from wellread.base.threads import num_threads
from wellread.corpus.account import Account
from wellread.corpus.card import card
from wellread.corpus.clean import Clean, pieces_of
from wellread.corpus.config import CorpusConfig
from wellread.corpus.distinct import Distinct, distinct
from wellread.corpus.filter import load_filters
from wellread.corpus.language import check_languages
from wellread.corpus.outcomes import num_records, steps_of, write_decisions, write_outcomes
from wellread.corpus.parts import parts_of
from wellread.corpus.protect import protected_hashes
from wellread.corpus.site_lines import repeated_lines
from wellread.corpus.stored import Extract, Stored, hold_only, stored_parts
from wellread.corpus.verdicts import Decision, InOrder, decisions
from wellread.corpus.workers import as_item, start, work_on
from wellread.formats import corpus_report
from wellread.formats.corpus_outcomes import KEPT
from wellread.formats.documents import STAGE, write_documents
from wellread.formats.links import STAGE as LINKS
from wellread.formats.links import links_files
from wellread.formats.sorting import Room
from wellread.tokenizer.tokenizer import Tokenizer

# Ours: what this process reads sooner than others have started, of the input and of its texts.
LITTLE_INPUT, LITTLE_TEXT = 1 << 18, 1 << 24
PROTECTED_FILE = "protected.npy"
CARD_NAME = "wellread-corpus"  # not the folder's: the same input gives the same bytes


def build_corpus(
    sources: Sequence[str | Path],
    out: str | Path,
    config: CorpusConfig,
    *,
    links: str | Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Extract, clean and deduplicate `sources` (pages or ready documents, in any form).

    `links` gives each document its karma, by which the best of near-duplicates is kept. The same
    sources give the same bytes, whatever their order and the number of processes. Holds some 100
    bytes a document, beside what each process has at work; all texts lie on disk three times for
    the time.
    """
    places, out = [Path(source) for source in sources], Path(out)
    links = Path(links) if links else None
    for source in [*places, *config.unlike]:
        if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
            raise InputError(f"{out}: lies within {source}, which is read; give another --out")
    inputs = {"sources": places, "links": [links] if links else []}
    for name, paths in (("unlike", config.unlike), ("protect", config.protect)):
        if paths:
            inputs[name] = list(paths)
    if config.tokenizer:
        inputs["tokenizer"] = [config.tokenizer]
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    # What is wrong is refused before any work.
    load_filters(config.filters)
    check_languages(config.languages)
    if links:
        read_artifact(links, LINKS)
    protected = protected_hashes(config.protect)
    tokenizer = Tokenizer.load(config.tokenizer) if config.tokenizer else None
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        processes = start(config.engine)
        work = Work(out.resolve() / "work", config, processes, progress)
        work.folder.mkdir()
        stored = _extracted(places, out / LASTING, work)
        np.save(work.folder / PROTECTED_FILE, protected)
        cleaned = _cleaned(stored, work)
        if not cleaned:
            raise WellreadError(f"{places[0]}: no record in it")
        tables = links_files(links) if links else []
        found = distinct(cleaned, tables, config, work.folder, work.room())
        account = Account(tokenizer)
        _write(draft, cleaned, found, account, work)
        _accounted(draft, cleaned, found, account, work)
        shutil.rmtree(work.folder)
        if not account.documents:
            reasons = ", ".join(f"{reason}: {n}" for reason, n in draft.dropped.most_common(3))
            raise WellreadError(
                f"{places[0]}: no document is left of {draft.counts['in']} ({reasons or 'empty'})"
            )
    return read_manifest(out)


class Work(NamedTuple):
    """Where and how a corpus is made."""

    folder: Path
    config: CorpusConfig
    processes: int
    progress: Progress

    def processes_for(self, files: Collection[Path], little: int) -> int:
        """0, which is this one, if `files` have less than `little` bytes."""
        is_little = sum(path.stat().st_size for path in files) < little
        return 0 if is_little and self.config.engine == "native" else self.processes

    def room(self) -> Room:
        return Room(self.folder / "spilled", num_threads(None), "1GB")


def _extracted(sources: Sequence[Path], folder: Path, work: Work) -> list[Stored]:
    """The texts of all parts of the input; those that are on disk already are not made again."""
    config = work.config
    parts = parts_of(sources) + parts_of(config.unlike, is_unwanted=True)
    stored = stored_parts(folder, parts, config.extractor)
    hold_only(folder, stored)
    missing = [one for one in stored if not one.path.exists()]
    done, records = len(stored) - len(missing), 0
    files = {source.path for one in missing for source in one.part.sources}
    for count in work_on(
        missing, Extract, (config.extractor,), work.processes_for(files, LITTLE_INPUT)
    ):
        done, records = done + 1, records + count
        work.progress(done, len(stored), f"reading: {records:,} records")
    return stored


def _cleaned(stored: Sequence[Stored], work: Work) -> list[Path]:
    """Files of clean.schema, of all records."""
    config = work.config
    wanted = [one.path for one in stored if not one.part.is_unwanted]
    lines = repeated_lines(
        wanted,
        of_hosts=config.repeated_lines,
        anywhere=config.repeated_paragraphs,
        room=work.room(),
    )
    names = [str(work.folder / f"{name}.npy") for name in lines._fields]
    for name, hashes in zip(names, lines, strict=True):
        np.save(name, hashes)
    folder = work.folder / "cleaned"
    folder.mkdir()
    pieces = pieces_of(stored, folder)
    given = (as_item(config), *names, str(work.folder / PROTECTED_FILE))
    done = records = 0
    processes = work.processes_for([one.path for one in stored], LITTLE_TEXT)
    for count in work_on(pieces, Clean, given, processes):
        done, records = done + 1, records + count
        work.progress(done, len(pieces), f"cleaning: {records:,} records")
    return [piece.out for piece in pieces]


def _write(
    draft: Draft, cleaned: Sequence[Path], found: Distinct, account: Account, work: Work
) -> None:
    """The documents that stay, in order of URL, and the decision on each that was compared."""
    config = work.config
    with closing(InOrder(work.folder / "ordered", found)) as in_order:

        def made() -> Iterator[Decision]:
            for done, one in enumerate(decisions(cleaned, found, config), start=1):
                if one.outcome == KEPT:
                    account.add(one.document, one.row)
                    in_order.add(one.place, one.document, one.row["num_bytes"])
                work.progress(done, len(found.ids), f"deciding: {account.documents:,} kept")
                yield one

        write_decisions(work.folder, made())
        documents = in_order.documents()
        write_documents(draft, documents, form=config.format, shard_bytes=config.shard_bytes)


def _accounted(
    draft: Draft,
    cleaned: Sequence[Path],
    found: Distinct,
    account: Account,
    work: Work,
) -> None:
    """`outcomes.parquet`, `corpus-report.json`, and what the manifest says of both."""
    write_outcomes(draft, cleaned, work.folder, work.room())
    order = [*load_filters(work.config.filters)]
    steps, examples = steps_of(draft.out, order, work.room())
    for step in steps:
        draft.dropped[step.reason] += step.documents
        draft.examples.setdefault(step.reason, []).extend(examples[step.outcome])
        del draft.examples[step.reason][MAX_EXAMPLES:]
    records, page_bytes = num_records(cleaned, work.room())
    report = account.report(
        num_in=records,
        page_bytes=page_bytes,
        steps=steps,
        group_sizes=found.sizes,
    )
    draft.counts["in"], draft.counts["out"] = records, account.documents
    draft.counts["bytes"] = account.num_bytes
    draft.write(corpus_report.NAME, corpus_report.encode(report))
    settings = deciding(to_plain(work.config), CorpusConfig)
    draft.write("card.md", card(report, settings, CARD_NAME).encode())
