"""`wellread doctor`: what this machine has, and what is missing."""

import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path

import typer

from wellread.base.text import human_bytes
from wellread.cli import show
from wellread.cli.options import Json

LIBRARIES = (
    *("torch", "numpy", "numba", "pyarrow", "daft", "scrapy", "warcio", "trafilatura"),
    *("lxml_html_clean", "pycld2", "safetensors", "matplotlib", "sacrebleu"),
)
LEAST_MEMORY = 6 * 2**30  # what the demo may use
LEAST_DISK = 3 * 2**30


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(json: Json = False) -> None:
    """Show versions, cores, memory, accelerator and caches, and how to get what is missing."""
    facts, problems = _facts(), _problems()
    if json:
        show.print_json({"facts": facts, "problems": problems})
    else:
        for name, value in facts.items():
            show.out.print(f"{name:<16} {value}", markup=False)
        for problem in problems:
            show.out.print(f"[yellow]![/] {problem}")
        if not problems:
            show.out.print("[green]✓[/] nothing is missing")
    if problems:
        raise typer.Exit(1)


def _facts() -> dict[str, str]:
    import matplotlib
    import psutil
    import torch

    memory = psutil.virtual_memory()
    features = torch.cpu.get_capabilities()
    matrix = "no products of bfloat16: float32 is used in training"
    if features.get("amx_bf16") or features.get("avx512_bf16"):
        matrix = f"bfloat16 by {'AMX' if features.get('amx_bf16') else 'AVX-512'}"
    accelerator = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none (CPU is used)"
    )
    found = {
        "wellread": importlib.metadata.version("wellread"),
        "python": f"{platform.python_version()}  {sys.executable}",
        "system": platform.platform(),
        "cores": f"{os.cpu_count()}  {features.get('cpu_name', platform.processor())}, {matrix}",
        "memory": f"{human_bytes(memory.total)}, {human_bytes(memory.available)} free",
        "disk here": f"{human_bytes(shutil.disk_usage(Path.cwd()).free)} free",
        "accelerator": accelerator,
        "caches": f"compiled loops beside the package; fonts in {matplotlib.get_cachedir()}",
    }
    for name in LIBRARIES:
        if _version(name):
            found[name] = str(_version(name))
    return found


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _problems() -> list[str]:
    import psutil

    found = [
        f"{name} is missing: pip install {name}" for name in LIBRARIES if _version(name) is None
    ]
    if psutil.virtual_memory().total < LEAST_MEMORY:
        found.append("less than 6 GiB of memory: run the demo with --quick")
    if shutil.disk_usage(Path.cwd()).free < LEAST_DISK:
        found.append("less than 3 GiB free on this disk: give an --out on another one")
    return found
