"""Conditions that hold together, or of which one holds: many of them in halves.

A long row of AND or OR is nested as deep as it is long, and overflows the stack of Flink's planner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["all_of", "any_of"]

_FEW = 50


def all_of(conditions: Sequence[str]) -> str:
    """Return the condition that all of some hold.

    >>> all_of(["a", "b"])
    'a AND b'
    """
    return _joined(conditions, " AND ")


def any_of(conditions: Sequence[str]) -> str:
    """Return the condition that one of some holds.

    >>> any_of(["a", "b"])
    'a OR b'
    """
    return _joined(conditions, " OR ")


def _joined(conditions: Sequence[str], between: str) -> str:
    if len(conditions) <= _FEW:
        return between.join(conditions)
    half = (len(conditions) + 1) // 2
    return f"({_joined(conditions[:half], between)}){between}({_joined(conditions[half:], between)})"
