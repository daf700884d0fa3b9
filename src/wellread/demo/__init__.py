"""The little web: documentation that is on every machine, as a web with a dump that links to it."""

from wellread.demo.server import DEFAULT_PORT, serve
from wellread.demo.web import DemoConfig, make_little_web

__all__ = ["DEFAULT_PORT", "DemoConfig", "make_little_web", "serve"]
