"""One at a time: two commands that start or stop the same processes."""

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
    """Keep a second `up` or `down` of the same folder waiting until this one is done."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home.mkdir(parents=True, exist_ok=True)  # the one that we waited for may have purged it
        yield
