"""Packages that can be called: `wellread.train` is a package, and `wellread.train(...)` trains."""

import importlib
import sys
from types import ModuleType
from typing import Any


def make_callable(package: str, function: str) -> None:
    """Let calls of `package` go to `function` ("module:name"), which is imported when called."""
    module, _, name = function.partition(":")

    class CallablePackage(ModuleType):
        @property
        def __wrapped__(self) -> Any:  # whose signature `inspect` and notebooks show
            return getattr(importlib.import_module(module), name)

        def __call__(self, *positional: Any, **named: Any) -> Any:
            return self.__wrapped__(*positional, **named)

    sys.modules[package].__class__ = CallablePackage
