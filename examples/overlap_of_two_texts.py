"""How much of one text is in another: python overlap_of_two_texts.py TRAIN TEST

TEST is a text file; TRAIN, too, or JSONL, Parquet, a folder of these, or a corpus. As in section 4
of the paper: the share of a text's 8-grams of words that the training text has.
"""

import sys
import tempfile
from pathlib import Path

import wellread


def main(train: str, test: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = wellread.build_overlap_index(train, folder)
        paragraphs = [text for text in Path(test).read_text("utf-8").split("\n\n") if text.strip()]
        measured = wellread.measure_overlap(index, paragraphs)
    known = sum(one.num_found for one in measured)
    total = sum(one.num_ngrams for one in measured)
    print(f"{known:,} of {total:,} 8-grams of {test} are in {train}: {known / max(total, 1):.1%}")
    shares = [(one.share, text) for one, text in zip(measured, paragraphs, strict=True)]
    most = sorted(((s, text) for s, text in shares if s), reverse=True)[:3]
    for share, text in most:
        print(f"{share:6.1%}  {' '.join(text.split())[:80]}")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) >= 3 else sys.exit(__doc__)
