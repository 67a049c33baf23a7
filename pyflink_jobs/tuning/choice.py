"""Choose among noisy measurements: the best, unless the default is as good as far as the noise lets one tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Choice", "choose", "noise", "typical"]

LEAST_NOISE = 0.01
"""Two measurements that happen to be nearly equal do not make a machine quieter than one per cent."""

_ERRORS = 2.0  # standard errors of a difference, from which on it counts


@dataclass(frozen=True)
class Choice:
    """What was chosen of some candidates, and why: "best", "default" or "smallest" of those that are as good.

    `best` is the candidate that measured best, `margin` the relative difference that is still noise.
    """

    chosen: str
    best: str
    margin: float
    why: str


def typical(values: Sequence[float]) -> float:
    """Return the geometric mean: ratios between candidates are what counts."""
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

    `sd` is the relative standard deviation of a single measurement. Those that differ from the best by less than two
    standard errors of the difference are as good; of them the default is chosen if it is one, else the first.
    Candidates must stand in ascending order.
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
