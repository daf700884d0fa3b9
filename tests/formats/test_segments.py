"""Pages fill one file after the other, and go on where a killed writer was."""

import hashlib
from pathlib import Path

from wellread.formats.segments import Place, SegmentWriter, segment_files


def test_a_full_segment_is_followed_by_another_and_its_digest_is_known(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path, segment_bytes=1000) as writer:
        places = [writer.append(b"x" * 500) for _ in range(5)]
        assert [place.segment for place in places] == [0, 0, 1, 1, 2]
        first, second, _ = segment_files(tmp_path)
        assert writer.digests == {
            0: hashlib.sha256(first.read_bytes()).hexdigest(),
            1: hashlib.sha256(second.read_bytes()).hexdigest(),
        }


def test_what_lies_behind_the_last_good_record_is_cut_off(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path, segment_bytes=1000) as writer:
        places = [writer.append(bytes([number]) * 500) for number in range(5)]
    with SegmentWriter(tmp_path, after=places[0]) as writer:
        assert writer.append(b"y" * 10) == Place(0, places[0].end, 10)
    (only,) = segment_files(tmp_path)
    assert only.read_bytes()[places[0].offset :] == b"\x00" * 500 + b"y" * 10
