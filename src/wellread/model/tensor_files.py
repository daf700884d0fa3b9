"""Files of named tensors: safetensors in and out, PyTorch's own format in."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - only the name of PyTorch's refusal
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from wellread.base.errors import InputError
from wellread.base.files import HashingWriter

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
# As safetensors names them; what a checkpoint of ours may hold.
SAFETENSORS_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
}
ZIP = b"PK\x03\x04"  # how a file that torch.save has written since version 1.6 begins


def dtype_named(name: str) -> torch.dtype | None:
    """The type called `name`; None for `stored`: as it is in the file."""
    if name == "stored":
        return None
    if name not in DTYPES:
        raise InputError(f"dtype {name!r}: expected stored, {', '.join(DTYPES)}")
    return DTYPES[name]


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, mapped: nothing is copied until it is changed."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not readable as safetensors ({error})") from None
    return tensors


def read_pickled(path: Path) -> dict[str, Any]:
    """What torch.save wrote: tensors and plain values; a pickle that would run code is refused.

    Mapped, except for files from before PyTorch 1.6, which are read.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP)) == ZIP
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except UnpicklingError as error:
        named = [line for line in str(error).splitlines() if "GLOBAL" in line or "global" in line]
        why = (named or str(error).splitlines() or [""])[0].strip()
        raise InputError(
            f"{path}: not only tensors and plain values, or damaged, so it is not unpickled ({why})"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, IndexError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise InputError(f"{path}: not readable as a file of torch.save ({why})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds a {type(found).__name__}; expected a table of tensors")
    return found


def read_sharded(
    index: Path, read: Callable[[Path], Mapping[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """Names and tensors of the files beside `index`, which says what each of them holds."""
    try:
        shards = msgspec.json.decode(index.read_bytes())["weight_map"]
        wanted = msgspec.convert(shards, dict[str, str])
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise InputError(f"{index}: no index of shards with a weight_map ({error})") from None
    for name in sorted(set(wanted.values())):
        path = index.with_name(Path(name).name)
        if path.name != name:
            raise InputError(f"{index}: names the shard {name!r}; expected a file beside it")
        if not path.is_file():
            raise InputError(f"{index}: its shard {name} is not there; fetch that file too")
        found = read(path)
        for tensor_name, shard in wanted.items():
            if shard == name and tensor_name not in found:
                raise InputError(f"{path}: tensor {tensor_name} is missing; {index.name} names it")
        yield from found.items()


def save_tensors(
    tensors: Mapping[str, Tensor], path: Path, *, dtype: torch.dtype | None = None
) -> str:
    """Write `tensors`, as `dtype` if given, as safetensors; return the file's SHA-256.

    One after the other: one that is turned, of another type or on another device is copied, and
    let go before the next. The file takes its place when it is whole, so that tensors mapped from
    an earlier one stay what they are. A full disk is an OSError, as from any other writer.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    types = {name: dtype or tensor.dtype for name, tensor in tensors.items()}
    # Wide types first, so that each tensor begins at a multiple of its numbers' width.
    order = sorted(tensors, key=lambda name: (-types[name].itemsize, name))
    at = 0
    for name in order:
        end = at + tensors[name].numel() * types[name].itemsize
        header[name] = {
            "dtype": SAFETENSORS_DTYPES[types[name]],
            "shape": list(tensors[name].shape),
            "data_offsets": [at, end],
        }
        at = end
    encoded = msgspec.json.encode(header)
    encoded += b" " * (-len(encoded) % 8)
    with HashingWriter(path) as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name in order:
            file.write(_bytes_of(tensors[name], types[name]))
    return file.sha256()


def _bytes_of(tensor: Tensor, dtype: torch.dtype) -> memoryview:
    flat = tensor.detach().to(device="cpu", dtype=dtype).contiguous().reshape(-1)
    found: memoryview = flat.view(torch.uint8).numpy().data
    return found
