"""A folder is the registry: one module, one constant of a fixed name, one plug-in."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from wellread.base.errors import InputError
from wellread.base.suggest import suggestion


def names(package: ModuleType) -> list[str]:
    """The plug-ins of `package`, sorted, as users write them (`demo-cloze` for demo_cloze.py).

    Python has no module name that begins with a digit: `1bw` is for _1bw.py.
    """
    found = [module.name for module in pkgutil.iter_modules(package.__path__)]
    public = [name for name in found if name[0] != "_" or name[1].isdigit()]
    return sorted(name.removeprefix("_").replace("_", "-") for name in public)


def load(package: ModuleType, name: str, constant: str) -> Any:
    """The constant of the plug-in `name`; an unknown name is an error that suggests the nearest."""
    known = names(package)
    if name not in known:
        kind = package.__name__.rpartition(".")[2].rstrip("s")
        raise InputError(f"there is no {kind} {name!r}{suggestion(name, known)}")
    module_name = "_" * name[0].isdigit() + name.replace("-", "_")
    module = importlib.import_module(f"{package.__name__}.{module_name}")
    return getattr(module, constant)
