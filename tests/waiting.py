"""Wait for a condition, never for a time."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_until"]


def wait_until(condition: Callable[[], object], within: float = 120.0) -> None:
    """Return when the condition is true, which is asked ten times a second: more would take CPU from what it waits for.

    Fails after `within` seconds.
    """
    end = monotonic() + within
    while not condition():
        assert monotonic() < end, f"not within {within:.0f} s"
        sleep(0.1)
