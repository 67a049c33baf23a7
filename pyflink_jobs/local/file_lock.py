"""A lock for commands that start or stop the same processes."""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["alone"]


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Let other commands for the same folder wait until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home.mkdir(parents=True, exist_ok=True)  # the command before may have purged it
        yield
