"""Near-duplicates are found where MinHash promises it, and nowhere else."""

import daft
import numpy as np

from wellread.base.seeds import generator
from wellread.corpus.duplicates import near_duplicate_groups, signatures
from wellread.corpus.split import split_of


def random_text(seed: int) -> list[str]:
    return [f"w{number}" for number in generator(seed, "text").integers(50_000, size=300)]


def groups_of(texts: list[list[str]]) -> list[int]:
    frame = daft.from_pydict({"text": [" ".join(words) for words in texts]})
    return near_duplicate_groups(signatures(frame), threshold=0.8).tolist()


def test_copies_with_a_few_words_changed_are_one_group_and_others_are_not() -> None:
    texts = [random_text(seed) for seed in range(20)]
    for words in list(texts):
        changed = list(words)
        changed[150] = "changed"  # 5 of 296 shingles differ: similarity 0.967
        texts.append(changed)
    groups = groups_of(texts)
    assert len(set(groups)) == 20
    assert groups[:20] == groups[20:]


def test_half_the_text_in_common_is_no_duplicate() -> None:
    first, second = random_text(1), random_text(2)
    assert len(set(groups_of([first, first[:150] + second[150:]]))) == 2


def test_case_and_punctuation_do_not_hide_a_copy() -> None:
    words = random_text(3)
    shouted = [word.upper() + "," for word in words]
    assert len(set(groups_of([words, shouted]))) == 1


def test_the_split_has_the_shares_asked_for() -> None:
    splits = [
        split_of(f"http://example.com/{n}", validation_per_mille=50, test_per_mille=10)
        for n in range(20_000)
    ]
    counts = {name: splits.count(name) for name in ("validation", "test")}
    # Four standard deviations of a binomial of 20,000.
    assert np.isclose(counts["validation"], 1000, atol=125)
    assert np.isclose(counts["test"], 200, atol=60)
