"""Metrics of predicted probabilities against outcomes.

All functions take `p`, float64 [n] in 0..1, and `happened`, bool [n].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CalibrationBin", "auc", "brier", "calibration", "log_loss", "wilson"]

_SMALLEST = 1e-15  # an outcome with probability 0 would give an infinite loss
_Z = 1.959964  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True)
class CalibrationBin:
    """Rows with similar predictions: their number, mean prediction, and observed share with its 95 % interval."""

    n: int
    predicted: float
    observed: float
    low: float
    high: float


def auc(p: NDArray[np.float64], happened: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: P(p of one that happened > p of one that did not), a tie counts half.

    It is the Mann-Whitney statistic over the number of pairs; NaN where all or none happened.
    """
    yes = int(happened.sum())
    pairs = yes * (len(p) - yes)
    if not pairs:
        return nan
    return float((rankdata(p)[happened].sum() - yes * (yes + 1) / 2) / pairs)


def log_loss(p: NDArray[np.float64], happened: NDArray[np.bool_]) -> float:
    """Return -mean(log of the probability of the outcome), in nats; NaN without rows."""
    if not len(p):
        return nan
    of_outcome = np.where(happened, p, 1 - p)
    return float(-np.log(np.maximum(of_outcome, _SMALLEST)).mean())


def brier(p: NDArray[np.float64], happened: NDArray[np.bool_]) -> float:
    """Return mean((p - happened)²); NaN without rows."""
    return float(np.mean((p - happened) ** 2)) if len(p) else nan


def calibration(p: NDArray[np.float64], happened: NDArray[np.bool_], bins: int = 10) -> list[CalibrationBin]:
    """Return bins of about equal size, by rising prediction; equal predictions share a bin, empty bins are left out."""
    share = (rankdata(p) - 0.5) / max(len(p), 1)  # in 0..1, both exclusive
    number = (share * bins).astype(int)
    return [_bin(p[number == i], happened[number == i]) for i in np.unique(number)]


def _bin(p: NDArray[np.float64], happened: NDArray[np.bool_]) -> CalibrationBin:
    low, high = wilson(int(happened.sum()), len(p))
    return CalibrationBin(len(p), float(p.mean()), float(happened.mean()), low, high)


def wilson(k: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of which `k` of `n` were seen (Wilson 1927, JASA 22:209)."""
    if not n:
        return 0.0, 1.0
    z2 = _Z * _Z
    middle = (k + z2 / 2) / (n + z2)
    half = _Z / (n + z2) * (k * (n - k) / n + z2 / 4) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)
