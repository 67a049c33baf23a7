"""What each comparison of a window with its reference results in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Distance"]


@dataclass(frozen=True)
class Distance:
    """A distance between two samples: the one of the raw samples lies in [lo, hi].

    `estimate` is the best single number. `p` is the p-value where there is a test, else None.
    """

    estimate: float
    lo: float
    hi: float
    p: float | None = None
