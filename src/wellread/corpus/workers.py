"""One function on many processes, or on a cluster, by Daft.

A frame has a row for a piece of work, not for a document: Daft 0.7 holds what a scan reads until
it is asked for (1 GB of pages took 3 GB), so that texts stay in files, which workers read and
write themselves. On a cluster they must see the same files.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, TypeVar

import daft
import msgspec
from daft import DataType, col

from wellread.base.cluster import use_ray
from wellread.base.errors import WellreadError
from wellread.base.threads import num_threads

Engine = Literal["native", "ray"]
T = TypeVar("T")


class Work(Protocol):
    """Made once in each process."""

    def __call__(self, item: str) -> int:
        """Do a piece of work, which comes as JSON; how many records there were."""


class _Result(msgspec.Struct, frozen=True):
    count: int = 0
    error: str | None = None


class _Worker:
    def __init__(self, work: type[Work], given: tuple[Any, ...]) -> None:
        with _unheard():
            self._work = work(*given)

    def __call__(self, items: daft.Series) -> list[bytes]:
        found = []
        for item in items.to_pylist():
            try:
                with _unheard():
                    result = _Result(self._work(item))
            except WellreadError as error:  # for the user: it would come back as another's error
                result = _Result(error=str(error))
            found.append(msgspec.json.encode(result))
        return found


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Nothing that this process prints arrives: Daft would put it on the standard output of the
    command, among what that is asked for. Errors arrive otherwise.
    """
    with contextlib.ExitStack() as held:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        held.callback(os.close, nowhere)
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            stream.flush()
            before = os.dup(number)
            held.callback(os.close, before)
            held.callback(os.dup2, before, number)
            held.callback(stream.flush)
            os.dup2(nowhere, number)
        yield


def start(engine: Engine) -> int:
    """Have what follows done by processes of this machine, or by the cluster that Ray knows.

    How many there will be.
    """
    return use_ray() if engine == "ray" else num_threads(None)


def as_item(value: Any) -> str:
    """A piece of work, or settings, in JSON."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def of_item(item: str, kind: type[T]) -> T:
    return msgspec.json.decode(item, type=kind, dec_hook=lambda wanted, value: wanted(value))


def work_on(
    items: Sequence[Any], work: type[Work], given: tuple[Any, ...], processes: int
) -> Iterator[int]:
    """What `work(*given)` counts of each item, in any order; `processes` 0: in this process."""
    encoded = [as_item(item) for item in items]
    if encoded and processes:
        frame = worked(daft.from_pydict({"item": encoded}), work, given, processes)
        yield from _results(frame, len(encoded))
    elif encoded:
        yield from map(work(*given), encoded)


def worked(
    items: daft.DataFrame, work: type[Work], given: tuple[Any, ...], processes: int
) -> daft.DataFrame:
    """(item) -> (found): `work(*given)` of each item, and what it found, in JSON."""

    class Worker(_Worker):
        __call__ = daft.method.batch(return_dtype=DataType.binary(), batch_size=1)(_Worker.__call__)

    worker = daft.cls(max_concurrency=processes, use_process=True)(Worker)
    return items.into_batches(1).select(worker(work, given)(col("item")).alias("found"))


def _results(frame: daft.DataFrame, num_items: int) -> Iterator[int]:
    done = 0
    try:
        for batch in frame.to_arrow_iter():
            for found in batch["found"].to_pylist():
                result = msgspec.json.decode(found, type=_Result)
                if result.error is not None:
                    raise WellreadError(result.error)
                yield result.count
                done += 1
    except RuntimeError as error:
        if "closed the connection" not in str(error):
            raise
        raise WellreadError(
            "a worker process was ended from outside (no memory left?); what is done is kept, "
            "run it again"
        ) from None
    if done != num_items:  # Daft ends its stream without an error when it sees Ctrl-C itself
        raise WellreadError(f"stopped after {done:,} of {num_items:,} parts; run it again")
