"""Where the benches print."""

from __future__ import annotations

import sys

from rich.console import Console

__all__ = ["console_for_tables"]

_WIDTH = 120  # columns of a file, where rich would take 80 and cut the tables


def console_for_tables() -> Console:
    """Return a console as wide as the terminal, or wide enough for all columns where the output goes to a file."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH)
