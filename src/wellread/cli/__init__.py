"""The command `wellread`: parse, call one function, show the result."""

from wellread.cli.main import main

__all__ = ["main"]
