"""What a MODEL may be, and where it is on this machine."""

import importlib.util
import re
from pathlib import Path

from wellread.base.errors import InputError, WrongArtifact
from wellread.base.manifest import UNFINISHED, is_artifact, other_artifact, owner_of, read_manifest
from wellread.base.suggest import did_you_mean, meant_path, no_such
from wellread.formats.checkpoints import newest_checkpoint

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")  # gpt2, or OWNER/NAME
RELEASED = "openai-community"  # the owner of what the hub used to call gpt2, gpt2-medium, ...
NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")  # what it has
STAGES = ("train", "export", "import")  # that make a model
USUAL_CACHE = ".cache/huggingface/hub"  # below the home directory
KINDS = (
    "a training run, one of its checkpoints, what `wellread import` or `export` wrote, a Hugging "
    "Face folder (config.json and weights), OpenAI's folder (hparams.json and model.ckpt.*) or "
    "nanoGPT's ckpt.pt"
)


def locate(model: str | Path, *, hub_cache: Path | None = None) -> Path:
    """The file or folder that `model` names: a path, else a model of the Hugging Face hub.

    The latter is looked for in the hub's cache only, by default where Hugging Face's library has
    it; nothing is fetched.
    """
    path = Path(model)
    if path.exists():
        return path
    name = str(model)
    if not HUB_NAME.fullmatch(name):
        raise no_such(path, KINDS)
    cache = hub_cache or default_hub_cache()
    names = [name] if "/" in name else [name, f"{RELEASED}/{name}"]
    for each in names:
        if folder := _snapshot(cache / f"models--{each.replace('/', '--')}"):
            return folder
    cached = [folder.name.removeprefix("models--") for folder in cache.glob("models--*")]
    known = [*NAMES, *(one.replace("--", "/") for one in cached)]
    if name not in NAMES and (meant := meant_path(path) or did_you_mean(name, known)):
        raise InputError(
            f"{model}: no such file or folder, and no such model in {cache}{meant} Else fetch it "
            f"from the hub: `hf download {names[-1]}`"
        )
    raise InputError(
        f"{model}: no such file or folder, and no such model in {cache}; name {KINDS}, or fetch "
        f"one of that name from the hub: `hf download {names[-1]}`"
    )


def default_hub_cache() -> Path:
    """Where Hugging Face's library keeps what it fetches, if it is installed; else its default."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return Path.home() / USUAL_CACHE
    return Path(importlib.import_module("huggingface_hub.constants").HF_HUB_CACHE)


def _snapshot(repository: Path) -> Path | None:
    """The files of the branch main; else of the only revision that is there."""
    branch = repository / "refs" / "main"
    if branch.is_file():
        folder = repository / "snapshots" / branch.read_text(encoding="utf-8").strip()
        return folder if folder.is_dir() else None
    revisions = [path for path in repository.glob("snapshots/*") if path.is_dir()]
    return revisions[0] if len(revisions) == 1 else None


def refuse_other(model: Path) -> None:
    """Refuse an artifact of another kind, without a look at what is in it."""
    if is_artifact(model) and (stage := read_manifest(model).stage) not in STAGES:
        raise other_artifact(model, stage, STAGES, "a model")


def checkpoint_of(model: Path) -> Path:
    """The folder or file with the weights that `model` means; of a run, its newest checkpoint."""
    if model.is_file():
        if model.suffix in (".pt", ".pth"):
            return model
        raise InputError(f"{model}: a file; expected {KINDS}")
    if (model / "config.json").is_file() or (model / "hparams.json").is_file():
        return model
    is_begun = (model / UNFINISHED).is_file() and owner_of(model) == "train"
    if is_begun or (model / "checkpoints").is_dir():
        return newest_checkpoint(model)
    if (model / "ckpt.pt").is_file():
        return model / "ckpt.pt"
    refuse_other(model)
    raise WrongArtifact(f"{model}: no model here; expected {KINDS}", model, None, STAGES)


def refuse_onto_itself(place: Path, out: Path) -> None:
    """Refuse to write to `out` if a model that is being read is there."""
    source, target = place.resolve(), out.resolve()
    if target == source or target in source.parents or source in target.parents:
        raise InputError(f"{out}: the model itself, {place}, is there; give another --out")
