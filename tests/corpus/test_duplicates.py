"""Near-duplicates are found where MinHash promises it, and nowhere else."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from wellread.base.seeds import generator
from wellread.corpus.duplicates import near_duplicate_groups, num_bands
from wellread.corpus.minhash import Signatures, band_keys, shingles, signatures
from wellread.corpus.split import bucket_of, splits_of
from wellread.formats.documents import read_documents

PERMUTATIONS = 128


def random_text(seed: int) -> list[str]:
    return [f"w{number}" for number in generator(seed, "text").integers(50_000, size=300)]


def groups_of(texts: list[list[str]]) -> list[int]:
    found = signatures(map(" ".join, texts), PERMUTATIONS)
    return near_duplicate_groups(found, threshold=0.8).tolist()


def pair(similarity: float, seed: int) -> list[str]:
    """Two texts of 400 words without repeats, of which the second changes in one place."""
    shared = round(2 * 396 * similarity / (1 + similarity)) + 4  # words at the beginning
    words = generator(seed, "pair").permutation(5_000)[:800].astype(str).tolist()
    return [" ".join(words[:400]), " ".join([*words[:shared], *words[400 : 800 - shared]])]


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.8, 0.9])
def test_values_agree_as_often_as_sets_are_alike_and_bands_as_often_as_the_curve_says(
    similarity: float,
) -> None:
    num_pairs = 300
    texts = [text for seed in range(num_pairs) for text in pair(similarity, seed)]
    one, other = (set(shingles(text).tolist()) for text in texts[:2])
    assert len(one & other) / len(one | other) == pytest.approx(similarity, abs=0.003)
    found = signatures(texts, PERMUTATIONS).reshape(num_pairs, 2, PERMUTATIONS)
    alike = (found[:, 0] == found[:, 1]).mean()
    # Four standard deviations of so many values, and below of so many pairs.
    spread = 4 * (similarity * (1 - similarity) / num_pairs / PERMUTATIONS) ** 0.5
    assert alike == pytest.approx(similarity, abs=spread + 0.003)
    bands = num_bands(PERMUTATIONS, 0.8)
    flat = found.reshape(-1, PERMUTATIONS)
    keys = np.stack([band_keys(flat, n, bands).reshape(num_pairs, 2) for n in range(bands)])
    shared = (keys[:, :, 0] == keys[:, :, 1]).any(axis=0).mean()
    expected = 1 - (1 - similarity ** (PERMUTATIONS // bands)) ** bands
    assert shared == pytest.approx(
        expected, abs=4 * (expected * (1 - expected) / num_pairs) ** 0.5 + 0.01
    )


def test_groups_are_those_of_all_pairs_compared() -> None:
    source = generator(0, "families")
    texts = []
    for family in range(60):
        words = [f"f{family}w{number}" for number in range(200)]
        for _ in range(int(source.integers(1, 8))):
            copy = list(words)
            for place in source.integers(200, size=int(source.integers(9))):
                copy[int(place)] = f"changed{source.integers(10**9)}"
            texts.append(" ".join(copy))
    source.shuffle(texts)
    found = signatures(texts, PERMUTATIONS)
    groups = near_duplicate_groups(found, threshold=0.8)
    assert groups.tolist() == slow_groups(found, 0.8, num_bands(PERMUTATIONS, 0.8))


def slow_groups(found: Signatures, threshold: float, bands: int) -> list[int]:
    """Each pair that shares a band, compared; then what hangs together."""
    groups = list(range(len(found)))
    rows = found.reshape(len(found), bands, -1)
    for one, other in itertools.combinations(range(len(found)), 2):
        shares_band = (rows[one] == rows[other]).all(axis=-1).any()
        if shares_band and (found[one] == found[other]).mean() >= threshold:
            least, most = sorted((groups[one], groups[other]))
            groups = [least if group == most else group for group in groups]
    return groups


def test_texts_of_few_words_or_none_are_like_their_own_copies_only() -> None:
    texts = [
        "",
        "one",
        "One!",
        "one two",
        "\u3000",
        "!?",
        "\u65e5\u672c\u8a9e",
        "one two three four",
    ]
    found = signatures([*texts, *texts], PERMUTATIONS)
    groups = near_duplicate_groups(found, threshold=0.8).tolist()
    assert groups == [0, 1, 1, 3, 4, 5, 6, 7] * 2


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
    buckets = np.array([bucket_of(f"http://example.com/{n}") for n in range(20_000)])
    splits = splits_of(buckets, validation_per_mille=50, test_per_mille=10)
    _, validation, test = np.bincount(splits)
    # Four standard deviations of a binomial of 20,000.
    assert np.isclose(validation, 1000, atol=125)
    assert np.isclose(test, 200, atol=60)


@pytest.mark.real
def test_real_novels_are_no_copies_of_each_other_and_their_reprints_are(real_data: Path) -> None:
    texts = [novel.text for novel in read_documents(real_data / "documents" / "novels")]
    reprints = [f"A new edition.\n{text[: len(text) * 9 // 10]}" for text in texts]
    found = signatures([*texts, *reprints], PERMUTATIONS)
    groups = near_duplicate_groups(found, threshold=0.8)
    assert groups.tolist() == [*range(65), *range(65)]
