"""Dumps in every form that people have them in, whole and damaged."""

import bz2
import gzip
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import HashingReader, sha256_of
from wellread.formats.compressed import read_blocks, read_lines, zstd
from wellread.links.dumps import dump_files, expand_globs

LINES = [b'{"created_utc": %d, "score": 3}' % number for number in range(5000)]
CONTENT = b"\n".join(LINES) + b"\n"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".zst": zstd.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".gz": gzip.compress,
    ".ndjson": bytes,
}
# By hand from the format's description (RFC 8878): no content size, window of 2^31, one raw block.
WIDE_FRAME = b"\x28\xb5\x2f\xfd\x00\xa8" + (1 | 6 << 3).to_bytes(3, "little") + b"a\nb\ncd"


def lines_of(path: Path) -> list[bytes]:
    with HashingReader(path) as file:
        return list(read_lines(path, file))


@pytest.mark.parametrize("suffix", COMPRESS)
def test_lines_are_the_same_whatever_the_compression(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"RS_2011-01{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT))
    assert lines_of(path) == LINES


@pytest.mark.parametrize("suffix", [".zst", ".xz", ".bz2", ".gz"])
def test_frames_that_follow_each_other_are_all_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(COMPRESS[suffix](b"one\nt") + bytes(8) + COMPRESS[suffix](b"wo\nthree"))
    assert lines_of(path) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("suffix", [".zst", ".xz", ".bz2", ".gz"])
@pytest.mark.parametrize("end", [20, -1], ids=["early", "last byte"])
def test_a_dump_cut_short_is_an_error_that_names_it(tmp_path: Path, suffix: str, end: int) -> None:
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT)[:end])
    with pytest.raises(WellreadError, match=rf"dump\{suffix}: damaged or cut short .*download"):
        lines_of(path)


@pytest.mark.parametrize("suffix", [".zst", ".xz", ".bz2", ".gz"])
def test_a_dump_that_is_something_else_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(b"<html>404 Not Found</html>")
    with pytest.raises(WellreadError, match="damaged or cut short at byte 26, after line 0"):
        lines_of(path)


def test_a_window_of_two_gigabytes_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "dump.zst"
    path.write_bytes(WIDE_FRAME)
    assert lines_of(path) == [b"a", b"b", b"cd"]


def test_the_digest_is_that_of_the_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "dump.zst"
    path.write_bytes(COMPRESS[".zst"](CONTENT))
    with HashingReader(path) as file:
        list(read_lines(path, file))
        assert file.sha256() == sha256_of(path)


def test_a_folder_and_a_file_in_it_name_that_file_once(tmp_path: Path) -> None:
    for name in ("b.zst", "a.xz", "notes.md", "schema.json"):
        (tmp_path / name).touch()
    found = dump_files([tmp_path, tmp_path / "b.zst"])
    assert [path.name for path in found] == ["a.xz", "b.zst"]


def test_a_pattern_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("RS_2011-01.zst", "RS_2011-02.zst", "RC_2011-01.zst"):
        (tmp_path / name).touch()
    found = expand_globs([tmp_path / "RS_*.zst"])
    assert [path.name for path in found] == ["RS_2011-01.zst", "RS_2011-02.zst"]


def test_dumps_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dump.rar").touch()
    with pytest.raises(InputError, match=r"dump.rar: cannot tell how to read it.*\.zst"):
        dump_files([tmp_path / "dump.rar"])
    with pytest.raises(InputError, match="no such file"):
        dump_files([tmp_path / "absent.zst"])
    with pytest.raises(InputError, match="no file matches"):
        expand_globs([tmp_path / "RS_*.zst"])


@pytest.mark.parametrize("suffix", COMPRESS)
def test_standard_input_is_read_whatever_its_compression(tmp_path: Path, suffix: str) -> None:
    program = "import sys; from tests.links.test_dumps import *; print(len(lines_of(Path('-'))))"
    given = COMPRESS[suffix](CONTENT)
    done = subprocess.run(
        [sys.executable, "-c", program], input=given, capture_output=True, check=True
    )
    assert int(done.stdout) == len(LINES)


@pytest.mark.parametrize("suffix", [".zst", ".xz", ".bz2", ".gz"])
def test_little_that_stands_for_much_is_unpacked_in_pieces(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"RS{suffix}"
    path.write_bytes(COMPRESS[suffix]((b"a" * 999_999 + b"\n") * 100))
    with HashingReader(path) as file:
        sizes = [len(block) for block in read_blocks(path, file, 1 << 20)]
    assert sum(sizes) == 100_000_000
    assert max(sizes) <= 4 << 20


def test_what_is_no_dump_of_submissions_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "RC_2013-01.ndjson").write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"RC_2013-01\.ndjson: a dump of comments"):
        dump_files([tmp_path])
    (tmp_path / "RC_2013-01.ndjson").unlink()
    (tmp_path / "RS_2013-02.zst").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"RS_2013-02\.zst: no regular file, or a link to nothing"):
        dump_files([tmp_path])


def test_a_dump_without_suffix_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "RS_2013-07"
    path.write_bytes(COMPRESS[".zst"](CONTENT))
    assert lines_of(path) == LINES
    assert dump_files([path]) == [path]


def test_standard_input_stands_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name no others beside it"):
        dump_files([Path("-"), tmp_path])
