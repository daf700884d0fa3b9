"""Kernels and plain Python read a block alike."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest

from wellread.base.files import HashingReader
from wellread.base.intrinsics import PADDING
from wellread.base.seeds import generator
from wellread.formats.compressed import read_blocks
from wellread.links.block import KernelReader, Names, PlainReader, Rows
from wellread.links.config import LinksConfig
from wellread.links.names import Numbering, SeenNames
from wellread.links.rules import policy_of

CONFIG = LinksConfig(
    excluded_domains=["bad.example"], excluded_subreddits=["Kitchen"], until=date(2017, 12, 31)
)
# What a record's fields may hold, in JSON; the usual first.
VALUES = {
    "created_utc": [
        "1400000000", '"1400000000"', "1400000000.0", "1600000000", "null", "-5", "1e9",
        "99999999999999", '"x"', "true", "253402300800",
    ],
    "score": [
        "7", "3", "2", '"9"', "null", "-4", "7.0", "7.5", '"-3"', "12345678901234567", "[]", "007",
        "0", "5.", ".5", "nullx", "null0", "-", "tru", '""',
    ],
    "subreddit": [
        '"books"', '"GoneWild"', '"KITCHEN"', "null", '""', '"b\\u00fccher"', '"b\u00fc"', "3",
    ],
    "is_self": ["false", "true", "null", '"false"', "0", "falsy", "truex", "fals"],
    "over_18": ["false", "true", "null", '"true"', "1"],
    "domain": ['"a.com"', '"self.books"', '"self"', "null", '"self\\u002ex"', "{}"],
    "url_overridden_by_dest": ["null", '""', '"http://b.com/x"', '"/r/x/y"', "4"],
}  # fmt: skip
OTHERS = [
    '"title": "a \\"quoted\\" title\\\\"',
    '"media": {"url": "http://no.com/", "e": [{"score": 1}]}',
    '"selftext": "{[\\"url\\": \\"http://no.com/\\"]}"', '"x": []', '"y": 1.5e-3', '"url ": "no"',
    '"preview": {"a": "}\\"{"}', '"z": "\\\\"', '"urls": "no"', '"long": "' + "a" * 200 + '"',
]  # fmt: skip
HOSTS = [
    "a.com", "A.Com", "www.example.co.uk", "imgur.com", "i.imgur.com", "en.wikipedia.org",
    "old.reddit.com", "x.bad.example", "notbad.example", "a.com:80", "a.com:8080", "u:p@a.com",
    "[::1]", "a..com", ".com", "a_b.com", "b\u00fccher.de", "xn--bcher-kva.de", "1.2.3.4", "",
    "a" * 64 + ".com", "localhost", "a.com.", "im\u00adgur.com", "\uff52eddit.com", "a b.com", "$",
]  # fmt: skip
PARTS = [
    *"abzAZ019-._~!$'()*,:@/+&=?#%|[];<>^`{} ", "%2F", "%2f", "%41", "%7e", "%20", "%c3%a9", "%3B",
    "%2E", "&amp;", "&lt;", "utm_a=1", "&utm_source=b", "&utm_=c", "fbclid=", "&ref_src=1&", "&a=",
    "&b=1", "a=1&", "//", "/../", "/.", "%25", "\u00e9", "\\/", "\\u0026", "\\\\", ".jpg", ".PDF",
    ".jpg?x", ".html", "/a.gif/b", ".7z#", "%2Ejpg", ".%6apg", ".j%70g", ".pdf;",
    ".pdf%20", "x.pdf/.",
    "\u00ad", "\uff41.com",
]  # fmt: skip


def random_record(source: np.random.Generator) -> str:
    def pick(options: Sequence[str], usual: float = 0.9) -> str:
        return options[0] if source.random() < usual else options[source.integers(len(options))]

    end = "".join(PARTS[source.integers(len(PARTS))] for _ in range(source.integers(9)))
    host = HOSTS[source.integers(len(HOSTS))]
    start = pick(["http://", "https://", "HTTP://", "ftp://", "//", "http:/", " http://", ""], 0.8)
    url = pick([f"{start}{host}/{end}", f"{start}{host}{end}", "/r/a/", "/user/b", "[deleted]", ""])
    fields = [
        f'"{name}": {pick(values)}' for name, values in VALUES.items() if source.random() < 0.9
    ]
    fields += [f'"url": "{url}"'] if source.random() < 0.95 else ['"url": null']
    fields += [OTHERS[number] for number in source.permutation(len(OTHERS))[:3]]
    order = source.permutation(len(fields))
    space = pick([", ", ",", " ,\t", " ,\x00", "\x0b,", ",\r"])
    record = "{" + space.join(fields[number] for number in order) + "}"
    return pick(
        [record, record[:-1], record[: len(record) // 2], f"[{record}]", f"{record} x", "", "7"],
        0.95,
    )


def rows_of(rows: Rows, names: Names) -> list[tuple[str, str, int, int, str]]:
    return sorted(
        (
            row["url"], names.domains.names[row["domain"]], row["karma"], row["created"],
            names.subreddits.names[row["subreddit"]],
        )
        for batch in rows.kept
        for row in batch.to_pylist()
    )  # fmt: skip


def assert_alike(blocks: Sequence[bytes]) -> int:
    """Compare both readers on each block; how many records were kept."""
    policy, kept = policy_of(CONFIG), 0
    one, other = (Names(Numbering(), Numbering()) for _ in range(2))
    plain, kernel = PlainReader(policy, one), KernelReader(policy, other)
    for block in blocks:
        expected = plain.read(memoryview(block))
        found = kernel.read(memoryview(block + bytes(PADDING))[: len(block)])
        assert rows_of(found, other) == rows_of(expected, one)
        assert found.dropped == expected.dropped
        assert found[3:] == expected[3:]
        first = {refused.reason: refused for refused in reversed(expected.examples)}
        assert {refused.reason: refused for refused in reversed(found.examples)} == first
        kept += len(rows_of(found, other))
    return kept


def test_random_records_give_the_same_rows_and_refusals() -> None:
    source = generator(0, "records")
    lines = [random_record(source).encode() for _ in range(20_000)]
    blocks = [b"\n".join(lines[n : n + 2_000]) + b"\n" * (n > 0) for n in range(0, 20_000, 2_000)]
    assert 2_000 < assert_alike(blocks) < 18_000


@pytest.mark.real
def test_real_dumps_give_the_same_rows_and_refusals(real_data: Path) -> None:
    for path in sorted((real_data / "reddit").iterdir()):
        if path.is_file():
            with HashingReader(path) as file:
                blocks = [bytes(block) for block in read_blocks(path, file, 1 << 20)]
            assert assert_alike(blocks[::5]) > 0


def test_names_have_one_number_each() -> None:
    seen, source = SeenNames(), generator(0, "names")
    expected: dict[str, int] = {}
    for _ in range(5):
        names = [f"n{number}" for number in source.integers(20_000, size=9_000)]
        text = np.frombuffer("".join(names).encode(), np.uint8)
        ends = np.cumsum([len(name) for name in names])
        numbers, new = seen.numbers(text, ends - [len(name) for name in names], ends)
        for name, number in zip(names, numbers.tolist(), strict=True):
            assert expected.setdefault(name, number) == number
        assert [expected[name] for name in new] == sorted(expected[name] for name in new)
    assert sorted(expected.values()) == list(range(len(expected)))


def test_a_record_of_today_is_read_by_its_own_fields_alone() -> None:
    parent = {"url": "http://no.com/", "score": 1, "over_18": True, "subreddit": "gonewild"}
    record = {
        "crosspost_parent_list": [parent], "created_utc": 1_400_000_000, "score": 5,
        "url": "http://a.com/", "subreddit": "books", "media": {"oembed": parent},
    }  # fmt: skip
    assert assert_alike([msgspec.json.encode(record) + b"\n"]) == 1
