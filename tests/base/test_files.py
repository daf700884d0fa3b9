"""A file is whole or absent."""

import subprocess
import sys
from pathlib import Path

import pytest

from wellread.base.files import HashingReader, replacing

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(KeyError), replacing(target) as partial:
        partial.write_text("half of the n")
        raise KeyError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_digest_is_of_the_whole_file_even_if_only_its_start_was_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    with HashingReader(tmp_path / "a") as reader:
        assert reader.read(2) == b"he"
        assert reader.sha256() == HELLO


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.base.errors import WellreadError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write then fails, as on a full disk
room = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    with writing(Path(sys.argv[1]), stage="corpus", config=Config(), inputs={}) as draft:
        draft.write("documents.bin", bytes(room + 1000))
except WellreadError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [100_000, 4_000])  # the second fails as the buffer is emptied
def test_a_disk_without_room_gives_one_sentence_and_nothing_that_looks_finished(
    tmp_path: Path, room: int
) -> None:
    out = tmp_path / "out"
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(out), str(room)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.startswith(f"{out}: no room to write (File too large); free some space")
    assert [p.name for p in out.iterdir()] == ["unfinished.json"]
