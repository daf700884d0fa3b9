"""How sure the held-out loss is."""

import numpy as np
import numpy.typing as npt
import torch

from wellread.base.seeds import generator
from wellread.train.sharing import put_away
from wellread.train.worker import Worker

RESAMPLES = 1000


def interval_of_mean(values_N: npt.NDArray[np.float64], *, seed: int) -> tuple[float, float]:
    """The middle 95 % of the mean over resamples of the values."""
    num = len(values_N)
    source = generator(seed, "bootstrap", "held-out")
    means = source.multinomial(num, np.full(num, 1 / num), size=RESAMPLES) @ values_N / num
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@torch.no_grad()
def window_losses(worker: Worker, windows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean loss of each of (num_windows, context + 1) by itself, in nats per token."""
    worker.network.eval()
    device = worker.network.wte.weight.device
    losses = [worker.loss(one.to(device)) for one in torch.from_numpy(windows).split(1)]
    put_away(worker.network)
    worker.network.train()
    return torch.stack(losses).double().cpu().numpy()
