"""From the text of a page to a document, or to the reason why there is none.

In this order: lines that its site repeats go, damage is mended, its language is told, filters are
asked; then what later steps need of it is computed, so that these need no text.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from wellread.base.files import replacing
from wellread.base.urls import registrable_domain
from wellread.corpus.config import CorpusConfig
from wellread.corpus.demonstrations import demonstrations_in
from wellread.corpus.filter import load_filters, rejected_by
from wellread.corpus.language import UNKNOWN, languages_of
from wellread.corpus.minhash import signatures
from wellread.corpus.protect import Protected
from wellread.corpus.repair import repaired
from wellread.corpus.site_lines import Repeated, without_repeated
from wellread.corpus.stored import NO_TEXT, Stored, write_texts
from wellread.corpus.workers import of_item
from wellread.formats import tables
from wellread.formats.documents import Document
from wellread.ngrams.hashing import ngram_hashes

PIECE_ROWS = 1000  # ours: some seconds of a core
EXCERPT = 300  # characters of a text that is left out, for who asks why
REASONS = {
    NO_TEXT: "no main text",
    "extractor-failed": "the extractor failed",
}
LANGUAGE = "language"
# Near-duplicates of what these filters refuse are not wanted either: mirrors.
MIRRORED = frozenset({"wikipedia"})


def schema(num_permutations: int) -> pa.Schema:
    return pa.schema(
        [
            ("id", pa.int64()),  # by which all steps know the record
            ("url", pa.string()),
            ("domain", pa.string()),
            ("outcome", pa.string()),  # why it is left out; null: it is not
            ("reason", pa.string()),
            ("detail", pa.string()),
            ("is_unwanted", pa.bool_()),  # no near-duplicate of it is kept
            ("is_input", pa.bool_()),  # else of the documents that none must be like
            ("page_bytes", pa.int64()),
            ("num_bytes", pa.int64()),  # of the text, in UTF-8
            ("text", pa.string()),  # of a document that is not left out
            ("excerpt", pa.string()),  # of one that is
            ("languages", pa.list_(pa.struct([("code", pa.string()), ("share", pa.float64())]))),
            ("is_repaired", pa.bool_()),
            ("removed_lines", pa.int64()),
            ("removed_bytes", pa.int64()),
            ("shared", pa.int64()),  # 8-grams with protected texts
            (
                "demonstrations",
                pa.list_(
                    pa.struct([("kind", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
                ),
            ),
            ("key", pa.binary(16)),  # a hash of the text
            ("words", pa.uint64()),  # a hash of its words, as 8-grams have them
            ("signature", pa.binary(4 * num_permutations)),
        ]
    )


class Piece(msgspec.Struct, frozen=True):
    """Row groups of stored files, and where they go to when they are cleaned."""

    number: int
    groups: list[tuple[Path, int]]
    is_unwanted: bool
    out: Path


def pieces_of(stored: Sequence[Stored], out: Path) -> list[Piece]:
    """All rows, in pieces of about PIECE_ROWS."""
    found: list[Piece] = []
    for is_unwanted in (False, True):
        groups: list[tuple[Path, int]] = []
        rows = 0
        for path in [one.path for one in stored if one.part.is_unwanted == is_unwanted]:
            file = pq.read_metadata(path)
            for group in range(file.num_row_groups):
                groups.append((path, group))
                rows += file.row_group(group).num_rows
                if rows >= PIECE_ROWS:
                    found.append(_piece(len(found), groups, out, is_unwanted=is_unwanted))
                    groups, rows = [], 0
        if groups:
            found.append(_piece(len(found), groups, out, is_unwanted=is_unwanted))
    return found


def _piece(number: int, groups: list[tuple[Path, int]], out: Path, *, is_unwanted: bool) -> Piece:
    return Piece(number, groups, is_unwanted, out / f"{number:06}.parquet")


class Clean:
    """Work of a worker: a `Piece` cleaned into its file; how many records there were."""

    def __init__(self, config: str, of_hosts: str, anywhere: str, protected: str) -> None:
        self._config = of_item(config, CorpusConfig)
        self._repeated = Repeated(np.load(of_hosts, "r"), np.load(anywhere, "r"))
        self._filters = load_filters(self._config.filters)
        self._protected = Protected(np.load(protected, "r"), self._config.protect)

    def __call__(self, item: str) -> int:
        piece = of_item(item, Piece)
        with replacing(piece.out) as partial:
            rows = (
                row
                for path, group in piece.groups
                for row in tables.open_parquet(path).read_row_group(group).to_pylist()
            )
            numbered = (
                {"id": (piece.number << 32) + place}
                | self._cleaned(row, is_input=not piece.is_unwanted)
                for place, row in enumerate(rows)
            )
            columns = schema(self._config.near_duplicate_permutations)
            return write_texts(partial, columns, numbered)

    def _cleaned(self, row: dict[str, Any], *, is_input: bool) -> dict[str, Any]:
        found = {
            "url": row["url"],
            "domain": registrable_domain(row["url"]),
            "is_input": is_input,
            "is_unwanted": not is_input,
            "page_bytes": row["num_bytes"],
            "num_bytes": 0,
        }
        if row["outcome"] is not None:
            reason = REASONS.get(row["outcome"], row["outcome"])
            return found | {
                "outcome": row["outcome"], "reason": reason, "detail": row["detail"]
            }  # fmt: skip
        text = without_repeated(row["text"], row["host"], row["lines"], self._repeated)
        whole = row["text"].encode()
        found["removed_lines"] = row["text"].count("\n") - text.count("\n")
        found["removed_bytes"] = len(whole) - len(text.encode())
        if self._config.repair:
            mended = repaired(text)
            found["is_repaired"] = mended != text
            text = mended
        languages = languages_of(text)
        found["languages"] = [{"code": code, "share": share} for code, share in languages]
        found["num_bytes"] = len(text.encode())
        document = Document(
            url=row["url"],
            text=text,
            domain=found["domain"],
            language=languages[0][0],
            language_confidence=languages[0][1],
        )
        rejection = self._rejected(document) if is_input else {}
        if rejection:
            found |= rejection | {
                "excerpt": text[:EXCERPT],
                "is_unwanted": rejection["outcome"] in MIRRORED,
            }
        elif is_input:
            found |= {
                "text": text,
                "shared": self._protected.shared(text),
                "demonstrations": list(map(msgspec.structs.asdict, demonstrations_in(text))),
            }
        if not rejection or found["is_unwanted"]:
            found |= _compared(text, self._config.near_duplicate_permutations)
        return found

    def _rejected(self, document: Document) -> dict[str, str]:
        """Why a document is left out; empty if it is not."""
        wanted, language = self._config.languages, document.language
        is_foreign = bool(wanted) and language not in wanted
        if not is_foreign or language == UNKNOWN:  # of which a filter may know more
            found = rejected_by(document, self._filters)
            if found is not None:
                detail = f"{found.value:.4g}"
                return {"outcome": found.name, "reason": found.reason, "detail": detail}
        if is_foreign:
            detail = f"{language}, {document.language_confidence:.0%}"
            reason = f"language is not {' or '.join(wanted)}"
            return {"outcome": LANGUAGE, "reason": reason, "detail": detail}
        return {}


def _compared(text: str, num_permutations: int) -> dict[str, Any]:
    """What tells whether two texts are alike."""
    words = ngram_hashes(text, 1)
    return {
        "key": blake2b(text.encode(), digest_size=16).digest(),
        "words": int.from_bytes(blake2b(words.tobytes(), digest_size=8).digest(), "little"),
        "signature": signatures([text], num_permutations)[0].tobytes(),
    }
