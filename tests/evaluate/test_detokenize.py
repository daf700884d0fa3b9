"""De-tokenizers: real change, and nothing lost."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.evaluate.detokenize import (
    CBT,
    ONE_BILLION,
    PTB,
    WIKITEXT,
    Style,
    detokenize,
    retokenize,
)

STYLES = {"ptb": PTB, "wikitext": WIKITEXT, "1bw": ONE_BILLION, "cbt": CBT}
FILES = [
    (PTB, "benchmarks/ptb/ptb.test.txt"),
    (PTB, "benchmarks/ptb/ptb.valid.txt"),
    (WIKITEXT, "benchmarks/wikitext2/test.txt"),
    (WIKITEXT, "benchmarks/wikitext2/valid.txt"),
    (WIKITEXT, "benchmarks/wikitext103/derived_wiki.test.tokens"),
    (WIKITEXT, "benchmarks/wikitext103/derived_wiki.valid.tokens"),
]
# What nobody writes: marks and contractions that stand alone, and hyphens as a word.
ARTEFACT = re.compile(r" [,.;:?!%](?= |$)|@[-,.]@| n't(?= |$)| '(?:s|t|re|ve|ll|d|m)(?= |$)|\\/")


@pytest.mark.parametrize(
    ("style", "tokenised", "written"),
    [
        ("ptb", " he does n't own N % of ge 's stock \n", "He doesn't own N% of ge's stock\n"),
        ("ptb", " mr. n said i ca n't \n", "Mr. n said I can't\n"),
        ("wikitext", " = = Career = = \n \n", "= = Career = =\n\n"),
        ("wikitext", ' " A two @-@ part 1 @,@ 000 m film " \n', '"A two-part 1,000 m film"\n'),
        ("wikitext", " It didn 't end ( U.S. ) . \n", "It didn't end (U.S.).\n"),
        ("1bw", 'He paid $ 5 " to the U.N. " .', 'He paid $5 "to the U.N.".'),
        ("cbt", "`` No , '' said he -LRB- Mr. Fox -RRB- .", '"No," said he (Mr. Fox).'),
    ],
)  # fmt: skip
def test_it_reads_as_people_write(style: str, tokenised: str, written: str) -> None:
    found = detokenize(tokenised, STYLES[style])
    assert found.text == written
    assert retokenize(found, STYLES[style]) == tokenised


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@given(text=st.text(st.sampled_from(" \nabNU'\"`.,;-@$%()\\/<>1\r\u00a0"), max_size=60))
def test_whatever_the_text_is_it_comes_back(style: Style, text: str) -> None:
    assert retokenize(detokenize(text, style), style) == text


@pytest.mark.real
@pytest.mark.parametrize(("style", "name"), FILES, ids=[name for _, name in FILES])
def test_the_real_files_change_and_come_back(style: Style, name: str, real_data: Path) -> None:
    text = (real_data / name).read_bytes().decode()
    found = detokenize(text, style)
    assert retokenize(found, style) == text
    assert found.bits <= 0.02 * len(text.split())
    before, after = text.split("\n"), found.text.split("\n")
    affected = [number for number, line in enumerate(before) if ARTEFACT.search(line)]
    altered = [number for number in affected if not ARTEFACT.search(after[number])]
    assert len(altered) >= 0.9 * len(affected) > 0
