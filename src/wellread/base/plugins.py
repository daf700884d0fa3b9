"""A folder is the registry: one module, one constant of a fixed name, one plug-in."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from wellread.base.errors import InputError
from wellread.base.text import suggestion


def names(package: ModuleType) -> list[str]:
    """The plug-ins of `package`, sorted, as users write them (`demo-cloze` for demo_cloze.py)."""
    found = pkgutil.iter_modules(package.__path__)
    return sorted(module.name.replace("_", "-") for module in found if module.name[0] != "_")


def load(package: ModuleType, name: str, constant: str) -> Any:
    """The constant of the plug-in `name`; an unknown name is an error that suggests the nearest."""
    known = names(package)
    if name not in known:
        kind = package.__name__.rpartition(".")[2].rstrip("s")
        raise InputError(f"there is no {kind} {name!r}{suggestion(name, known)}")
    module = importlib.import_module(f"{package.__name__}.{name.replace('-', '_')}")
    return getattr(module, constant)
