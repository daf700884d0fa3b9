"""TensorFlow's checkpoints, as a plain writer and TensorFlow itself leave them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.tensor_bundle import masked, write_bundle
from wellread.base.errors import InputError
from wellread.formats.tensor_bundle import masked_checksum, read_bundle

FIVE = {
    "model/h0/ln_1/b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "model/h0/ln_1/g": np.array([0.5, -2.0], np.float16),
    "model/h10/w": np.ones((1, 2, 2), np.float64),
    "model/wte": np.array([[7, -8]], np.int32),
    "step": np.array(1_000_000_007, np.int64),
}


def test_names_types_shapes_and_numbers_come_back(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE, rows=2)
    found = read_bundle(tmp_path / "model.ckpt")
    assert {name: (t.dtype, t.shape) for name, t in found.items()} == {
        "model/h0/ln_1/b": ("float32", (2, 3)),
        "model/h0/ln_1/g": ("float16", (2,)),
        "model/h10/w": ("float64", (1, 2, 2)),
        "model/wte": ("int32", (1, 2)),
        "step": ("int64", ()),
    }
    assert found["model/h0/ln_1/b"].content.view("<f4").tolist() == [0, 1, 2, 3, 4, 5]
    assert found["step"].content.tobytes() == (1_000_000_007).to_bytes(8, "little")


def test_several_data_files_are_one_checkpoint(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE, shards=3)
    assert read_bundle(tmp_path / "model.ckpt")["model/wte"].content.view("<i4").tolist() == [7, -8]
    (tmp_path / "model.ckpt.data-00001-of-00003").unlink()
    with pytest.raises(InputError, match="data-00001-of-00003: cannot be read"):
        read_bundle(tmp_path / "model.ckpt")


def test_a_checkpoint_that_tensorflow_wrote_is_read() -> None:
    found = read_bundle(Path(__file__).parent / "tensorflow" / "model.ckpt")
    assert found["model/wte"].shape == (5, 4)
    assert found["model/wte"].content.view("<f4").tolist() == [n / 8 for n in range(20)]
    assert found["model/h0/attn/c_attn/w"].shape == (1, 4, 12)
    assert found["model/h0/attn/c_attn/w"].content.view("<f4")[:3].tolist() == [0.0, -1.0, -2.0]
    assert len(found) == 16


@settings(max_examples=200)
@given(st.binary(max_size=50))
def test_the_fast_checksum_agrees_with_the_slow_one(content: bytes) -> None:
    assert masked_checksum(np.frombuffer(content, np.uint8)) == masked(content)


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE)
    path = tmp_path / "model.ckpt.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="tensor model/h0/ln_1/b does not agree with its checksum"):
        read_bundle(tmp_path / "model.ckpt")


def test_a_data_file_that_was_cut_is_noticed(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE)
    path = tmp_path / "model.ckpt.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="tensor step ends at byte 76, and its data file has 75"):
        read_bundle(tmp_path / "model.ckpt")


def test_every_damage_to_the_index_is_an_input_error(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE)
    path = tmp_path / "model.ckpt.index"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
        try:
            found = read_bundle(tmp_path / "model.ckpt")
        except InputError:
            continue
        # Only the padding of the footer means nothing.
        assert len(found) == 5
        assert len(whole) - 48 <= at < len(whole) - 8
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match="no intact index"):
            read_bundle(tmp_path / "model.ckpt")


def test_a_compressed_index_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model.ckpt", FIVE, compression=1)
    with pytest.raises(InputError, match=r"block at 0 is compressed \(kind 1\)"):
        read_bundle(tmp_path / "model.ckpt")


def test_a_checkpoint_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model.ckpt.index: cannot be read \(No such file"):
        read_bundle(tmp_path / "model.ckpt")
