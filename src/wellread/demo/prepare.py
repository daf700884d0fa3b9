"""What `wellread demo` does before its recipe runs: the little web, and the recipe beside it."""

from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.files import write_bytes
from wellread.base.manifest import owner_of
from wellread.base.progress import Progress, silent
from wellread.demo.server import DEFAULT_PORT
from wellread.demo.web import DemoConfig, make_little_web
from wellread.pipeline.plan import RECIPE_COPY, refuse_another_recipe
from wellread.pipeline.recipe import own_recipe

PAGES = {"demo": 6_000, "demo-quick": 700}


def prepare_demo(out: Path, recipe: str, port: int, *, progress: Progress = silent) -> Path:
    """Make `out`/web and put `recipe` ("demo" or "demo-quick") into `out`; the recipe's path."""
    copy = out / RECIPE_COPY
    if out.is_dir() and any(out.iterdir()) and not copy.exists() and not (out / "web").exists():
        raise InputError(f"{out}: not empty and not made by the demo; give another --out")
    if out.is_dir() and (owner := owner_of(out)):
        raise InputError(f"{out}: belongs to stage {owner!r}; give another --out")
    refuse_another_recipe(out, recipe)
    out.mkdir(parents=True, exist_ok=True)
    make_little_web(out / "web", DemoConfig(max_pages=PAGES[recipe]), progress=progress)
    text = own_recipe(recipe).read_text(encoding="utf-8")
    write_bytes(copy, text.replace(f":{DEFAULT_PORT}", f":{port}").encode())
    return copy
