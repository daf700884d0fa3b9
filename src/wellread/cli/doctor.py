"""`wellread doctor`: what this machine has, and what is wrong with it."""

import os
import platform
import shutil
import sys
from pathlib import Path

import psutil
import typer

from wellread.base.allowance import allowed_cores, allowed_memory
from wellread.base.requirements import version_of
from wellread.base.text import human_bytes
from wellread.cli import problems, show
from wellread.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(json: Json = False) -> None:
    """Show versions, cores, memory, GPU and caches; what is wrong, and the command that mends it.

    Exit status 1 if something is wrong.
    """
    facts, found = _facts(), problems.findings(os.environ, Path.cwd())
    has_problems = any(one.kind == "problem" for one in found)
    if json:
        show.print_json({"facts": facts, "findings": found})
    else:
        for name, value in facts.items():
            show.out.print(f"{name:<16} {value}", markup=False)
        for one in found:
            sign = "[yellow]![/]" if one.kind == "problem" else "[dim]·[/]"
            show.out.print(sign, end=" ")
            show.out.print(f"{one.sentence}: {one.command}", markup=False)
        if not has_problems:
            show.out.print("[green]✓[/] nothing is missing")
    if has_problems:
        raise typer.Exit(1)


def _facts() -> dict[str, str]:
    memory, most = psutil.virtual_memory(), allowed_memory()
    whole = "the tokenizer alone" if problems.is_tokenizer_alone() else "the whole system"
    loops = problems.compiled_loops()
    found = {
        "wellread": f"{version_of('wellread')}, {whole}",
        "python": f"{platform.python_version()}  {sys.executable}",
        "system": platform.platform(),
        "cores": f"{os.cpu_count()}  {platform.processor()}",
        "memory": f"{human_bytes(memory.total)}, {human_bytes(memory.available)} free",
        "disk here": f"{human_bytes(shutil.disk_usage(Path.cwd()).free)} free",
        "compiled loops": "not kept" if loops is None else f"{loops}, and so for each package",
    }
    if version_of("torch"):
        found |= _of_torch()
    if cores := allowed_cores():
        found["cores"] += f"; {cores:g} may be used"
    if most is not None:
        found["memory"] += f"; {human_bytes(most)} may be used"
    if version_of("matplotlib"):
        import matplotlib

        found["fonts"] = matplotlib.get_cachedir()
    versions = [f"{one.name} {one.found}" for one in problems.wanted_libraries() if one.found]
    return found | {"libraries": ", ".join(versions)}


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
