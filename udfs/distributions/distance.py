"""What each comparison of a window with its reference results in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "Number"]

Number = float | NDArray[np.float64]
"""Of one pair of samples, or of several: shape (samples,)."""


@dataclass(frozen=True)
class Distance:
    """A distance between two samples: the one of the raw samples lies in [lo, hi].

    `estimate` is the best single number. `p` is the p-value where there is a test, else None. Of several samples at
    once, all have shape (samples,).
    """

    estimate: Number
    lo: Number
    hi: Number
    p: Number | None = None
