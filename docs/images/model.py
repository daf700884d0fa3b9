"""model.svg: a block of GPT-1 beside one of GPT-2, with the shapes of a built network.

.venv/bin/python docs/images/model.py
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from torch import device

from wellread.model.gpt2 import GPT2, WEIGHT_DEVIATION
from wellread.model.sizes import ModelConfig

NORM, WORK, LINE, EDGE = "#f2a65a", "#dfe7ef", "#2b6777", "#44515c"
BRANCH = 1.95  # from the line of sums to what is added to it
SHAPE = ModelConfig(size="124M").architecture(50_257)
with device("meta"):
    SIZES = {name: tuple(weight.shape) for name, weight in GPT2(SHAPE).named_parameters()}


def size(name: str) -> str:
    return " × ".join(f"{number:,}" for number in SIZES[name])


def box(axes: Axes, x: float, y: float, text: str, fill: str, *, wide: float = 2.3) -> None:
    high = 0.34 + 0.2 * text.count("\n")
    axes.add_patch(FancyBboxPatch(
        (x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0.03,rounding_size=0.08",
        facecolor=fill, edgecolor=EDGE, linewidth=0.8, zorder=3,
    ))  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", fontsize=7.6, zorder=4, linespacing=1.25)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, zorder=2, arrowprops={
        "arrowstyle": "-|>", "color": EDGE, "linewidth": 1, "shrinkA": 0, "shrinkB": 0,
    })  # fmt: skip


def plus(axes: Axes, x: float, y: float) -> None:
    axes.plot(x, y, "o", markersize=12, color="white", markeredgecolor=EDGE, zorder=5)
    axes.text(x, y - 0.01, "+", ha="center", va="center", fontsize=11, zorder=6)


def branch(axes: Axes, x: float, low: float, high: float, work: str, norm: str | None) -> None:
    """What is worked out beside the line, from `low`, and added to it at `high`."""
    side, top = x + BRANCH, high - 0.75
    axes.plot([x, side], [low, low], color=EDGE, linewidth=1, zorder=2)
    arrow(axes, (side, low), (side, top - 0.38))
    if norm:
        box(axes, side, low + 0.42, norm, NORM)
    box(axes, side, top, work, WORK)
    axes.plot([side, side], [top + 0.3, high], color=EDGE, linewidth=1, zorder=2)
    arrow(axes, (side, high), (x + 0.17, high))
    plus(axes, x, high)


def column(axes: Axes, x: float, title: str, *, is_pre: bool) -> None:
    attention = f"attention, {SHAPE.heads} heads\nc_attn {size('h.0.attn.c_attn.weight')}"
    attention += f"\nc_proj {size('h.0.attn.c_proj.weight')}"
    forward = f"feed-forward, GELU\nc_fc {size('h.0.mlp.c_fc.weight')}"
    forward += f"\nc_proj {size('h.0.mlp.c_proj.weight')}"
    axes.text(x + BRANCH / 2, 9.6, title, ha="center", fontsize=10.5, fontweight="bold")
    axes.plot([x, x], [0.3, 9.0], color=LINE, linewidth=2.6, zorder=1)
    embeddings = f"{size('wte.weight')}, {size('wpe.weight')}"
    box(axes, x, 0.3, f"embeddings of token and position\n{embeddings}", WORK, wide=3.7)
    axes.add_patch(FancyBboxPatch(
        (x - 1.35, 1.0), 4.85, 6.35, boxstyle="round,pad=0.03,rounding_size=0.15",
        facecolor="#f7f9fa", edgecolor="#b7c1c9", linewidth=0.8, zorder=0,
    ))  # fmt: skip
    axes.text(x + 3.4, 7.05, f"block, {SHAPE.layers} times", fontsize=8, color=EDGE, ha="right")
    norms = ("ln_1", "ln_2") if is_pre else (None, None)
    branch(axes, x, 1.3, 3.45, attention, norms[0])
    branch(axes, x, 4.45 if is_pre else 4.6, 6.6, forward, norms[1])
    if is_pre:
        box(axes, x, 7.95, f"ln_f, {SHAPE.width}", NORM)
    else:
        box(axes, x, 4.05, "ln_1", NORM, wide=1.6)
        box(axes, x, 7.1, "ln_2", NORM, wide=1.6)
    box(axes, x, 8.85, f"head, the same {size('wte.weight')}", WORK, wide=3.3)


def main() -> None:
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "wellread"})
    figure, axes = plt.subplots(figsize=(8.4, 7.2))
    column(axes, 1.65, 'as in GPT-1 (norm = "post")', is_pre=False)
    column(axes, 7.4, "GPT-2", is_pre=True)
    residual = WEIGHT_DEVIATION / (2 * SHAPE.layers) ** 0.5
    axes.text(
        0.3, -0.62,
        f"Orange: layer normalisation, {SHAPE.width} weights and biases. Blue: the sum that runs "
        f"from the embedding to the head.\nMatrices begin with deviation {WEIGHT_DEVIATION}, in "
        f"GPT-2 both c_proj with {WEIGHT_DEVIATION}/√{2 * SHAPE.layers} = {residual:.4f}.",
        fontsize=8, color=EDGE, va="center", linespacing=1.4,
    )  # fmt: skip
    axes.set(xlim=(-0.3, 11.2), ylim=(-1, 9.9), aspect="equal")
    axes.axis("off")
    figure.savefig(
        Path(__file__).with_suffix(".svg"), bbox_inches="tight",
        metadata={"Date": None, "Creator": None},
    )  # fmt: skip


if __name__ == "__main__":
    main()
