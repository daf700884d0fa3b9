"""What each process of test_several_processes.py does: one training after the other."""

import os
import signal
import sys
from pathlib import Path

import msgspec

from wellread.base.errors import WellreadError
from wellread.model.sizes import ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig


class Call(msgspec.Struct):
    """Arguments of `train`, and after which checkpoint the last process is killed."""

    tokens: str
    out: str
    model: ModelConfig
    config: TrainConfig
    killed_at: int | None = None


def run(call: Call) -> None:
    def kill(folder: Path) -> None:
        is_last = int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1
        if is_last and folder.name == f"step-{call.killed_at:07}":
            os.kill(os.getpid(), signal.SIGKILL)

    on_checkpoint = kill if call.killed_at else None
    train(Path(call.tokens), Path(call.out), call.model, call.config, on_checkpoint=on_checkpoint)


if __name__ == "__main__":
    try:
        for each in msgspec.json.decode(sys.argv[1], type=list[Call]):
            run(each)
    except WellreadError as error:
        if os.environ["RANK"] == "0":  # as the command does
            print(f"wellread: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
