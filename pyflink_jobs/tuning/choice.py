"""Choose among noisy measurements: the best, or the default if it is as good within the noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Choice", "choose", "noise", "typical"]

LEAST_NOISE = 0.01
"""The least noise that is assumed: two measurements may be nearly equal by chance."""

_ERRORS = 2.0  # standard errors from which a difference counts


@dataclass(frozen=True)
class Choice:
    """The chosen candidate, and why: it is the "best", the "default", or the "smallest" of those that are as good.

    `best` is the candidate with the best measurement, `margin` the largest relative difference that counts as noise.
    """

    chosen: str
    best: str
    margin: float
    why: str


def typical(values: Sequence[float]) -> float:
    """Return the geometric mean, because candidates are compared by ratio."""
    return math.exp(fmean(math.log(value) for value in values))


def noise(measured: Iterable[Sequence[float]]) -> float:
    """Return the relative standard deviation of a single measurement, from repeated ones of several candidates.

    The variances of the logarithms are pooled, each with its degrees of freedom.

    >>> round(noise([(100, 110), (200, 220)]), 3)
    0.067
    """
    squares, freedom = 0.0, 0
    for values in measured:
        middle = math.log(typical(values))
        squares += sum((math.log(value) - middle) ** 2 for value in values)
        freedom += len(values) - 1
    return max(LEAST_NOISE, math.sqrt(squares / freedom)) if freedom else LEAST_NOISE


def choose(measured: Mapping[str, Sequence[float]], default: str, sd: float, *, smaller: bool = False) -> Choice:
    """Choose the candidate with the largest typical value, or the smallest one if `smaller` is better.

    `sd` is the relative standard deviation of a single measurement. Candidates that differ from the best by less
    than two standard errors of the difference are as good: the default is chosen if it is one of them, else the first.
    Candidates must be in ascending order.
    """
    logs = {name: fmean(math.log(value) for value in values) for name, values in measured.items()}
    logs = {name: -value for name, value in logs.items()} if smaller else logs
    best = max(logs, key=lambda name: logs[name])
    repeats = min(map(len, measured.values()))
    margin = _ERRORS * sd * math.sqrt(2 / repeats)
    good = [name for name, value in logs.items() if logs[best] - value <= margin]
    if default in good and default != best:
        return Choice(default, best, margin, "default")
    if default != best and good[0] != best:
        return Choice(good[0], best, margin, "smallest")
    return Choice(best, best, margin, "best")
