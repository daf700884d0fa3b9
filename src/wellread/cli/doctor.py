"""`wellread doctor`: what this machine has, and what is missing."""

import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path

import psutil
import typer

from wellread.base.text import human_bytes
from wellread.cli import show
from wellread.cli.options import Json

LIBRARIES = ("numpy", "numba", "msgspec", "regex")
OF_ALL = (  # of the extra `all`
    *("torch", "pyarrow", "daft", "duckdb", "scrapy", "warcio", "trafilatura", "lxml_html_clean"),
    *("pycld2", "safetensors", "scipy", "matplotlib", "sacrebleu"),
)
WHOLE = 'pip install "wellread[all]"'
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
            show.out.print("[yellow]![/]", end=" ")
            show.out.print(problem, markup=False)
        if not problems:
            show.out.print("[green]✓[/] nothing is missing")
    if problems:
        raise typer.Exit(1)


def _facts() -> dict[str, str]:
    memory = psutil.virtual_memory()
    whole = f"the tokenizer alone; for the whole system: {WHOLE}"
    found = {
        "wellread": importlib.metadata.version("wellread"),
        "installed": whole if _is_tokenizer_alone() else "the whole system",
        "python": f"{platform.python_version()}  {sys.executable}",
        "system": platform.platform(),
        "cores": f"{os.cpu_count()}  {platform.processor()}",
        "memory": f"{human_bytes(memory.total)}, {human_bytes(memory.available)} free",
        "disk here": f"{human_bytes(shutil.disk_usage(Path.cwd()).free)} free",
        "caches": "compiled loops beside the package",
    }
    if _version("torch"):
        found |= _of_torch()
    if _version("matplotlib"):
        import matplotlib

        found["caches"] += f"; fonts in {matplotlib.get_cachedir()}"
    for name in (*LIBRARIES, *OF_ALL):
        if version := _version(name):
            found[name] = version
    return found


def _of_torch() -> dict[str, str]:
    import torch

    features = torch.cpu.get_capabilities()
    matrix = "no products of bfloat16: float32 is used in training"
    if features.get("amx_bf16") or features.get("avx512_bf16"):
        matrix = f"bfloat16 by {'AMX' if features.get('amx_bf16') else 'AVX-512'}"
    has_gpu = torch.cuda.is_available()
    return {
        "cores": f"{os.cpu_count()}  {features.get('cpu_name', platform.processor())}, {matrix}",
        "accelerator": torch.cuda.get_device_name() if has_gpu else "none (CPU is used)",
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_tokenizer_alone() -> bool:
    return not any(map(_version, OF_ALL))


def _problems() -> list[str]:
    wanted = LIBRARIES if _is_tokenizer_alone() else (*LIBRARIES, *OF_ALL)
    found = [f"{name} is missing: {WHOLE}" for name in wanted if _version(name) is None]
    if psutil.virtual_memory().total < LEAST_MEMORY:
        found.append("less than 6 GiB of memory: run the demo with --quick")
    if shutil.disk_usage(Path.cwd()).free < LEAST_DISK:
        found.append("less than 3 GiB free on this disk: give an --out on another one")
    return found
