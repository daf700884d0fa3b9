"""The held-out loss, and how sure it is."""

import numpy as np
import numpy.typing as npt
import torch

from wellread.base.intervals import middle, resampled_sums
from wellread.base.seeds import generator
from wellread.model.ranks import ALONE, Ranks, gathered
from wellread.train.sharing import put_away
from wellread.train.worker import Worker


def interval_of_mean(values_N: npt.NDArray[np.float64], *, seed: int) -> tuple[float, float]:
    """The middle 95 % of the mean over resamples of the values."""
    sums = resampled_sums(values_N[:, None], generator(seed, "bootstrap", "held-out"))
    return middle([float(total) / len(values_N) for (total,) in sums])


@torch.no_grad()  # not inference_mode: weights that are gathered here may serve the next step
def held_out_losses(
    worker: Worker, windows: npt.NDArray[np.int64], at_once: int, ranks: Ranks = ALONE
) -> npt.NDArray[np.float64]:
    """Mean loss of each of (num_windows, context + 1), in nats per token, in every process.

    `at_once` windows at a time, of which each process has every so manieth.
    """
    worker.network.eval()
    device = worker.network.wte.weight.device
    own = torch.from_numpy(windows[ranks.rank :: ranks.size])
    # Sharded weights come and go for all processes at once, so all make the same number of passes.
    num_passes = -(-len(windows) // (ranks.size * at_once))
    found: list[float] = []
    for part in own.tensor_split(num_passes):
        some = part if len(part) else torch.zeros(1, own.shape[1], dtype=torch.int64)
        losses = worker.window_losses(some.to(device))
        found += losses[: len(part)].tolist()
    put_away(worker.network)
    worker.network.train()
    every = np.empty(len(windows))
    for rank, some_losses in enumerate(gathered(found, list[float], ranks)):
        every[rank :: ranks.size] = some_losses
    return every
