"""The console of the benches' tables."""

from __future__ import annotations

import sys

from rich.console import Console

__all__ = ["console_for_tables"]

_WIDTH = 120  # columns of a file, for which rich's default of 80 would cut tables


def console_for_tables() -> Console:
    """Return a console as wide as the terminal, or wide enough for all columns if the output is a file."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH)
