"""The result of a comparison of two samples: a distance, its bounds, and the p-value of a test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "Number"]

Number = float | NDArray[np.float64]
"""A number for one pair of samples; for several pairs, float64 of shape (samples,)."""


@dataclass(frozen=True)
class Distance:
    """A distance between two samples, from their counts; the distance of the raw samples lies in [lo, hi].

    `estimate` is the best single number. `p` is the p-value of the distance's test; None where there is no test.
    """

    estimate: Number
    lo: Number
    hi: Number
    p: Number | None = None
