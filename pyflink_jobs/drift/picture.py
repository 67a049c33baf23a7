"""Draw two distributions, each known by ten quantiles, on one scale."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from rich.text import Text

from udfs.distributions.quantiles import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink_jobs.drift.records import Drift

__all__ = ["NOW", "THEN", "bars", "draw_quantiles", "masses"]

THEN, NOW = "#5b8ff9", "#f08c00"
"""The colours of the reference and the window, on dark or light ground."""

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEIGHT = 3  # lines of a histogram
_NUMBER = 9  # characters
_SCALE = slice(1, -1)  # from 5% to 95%: the last percent of a delay would squeeze all others into a corner

Quantiles = tuple[float | None, ...]


def masses(quantiles: Quantiles, low: float, high: float, columns: int) -> list[float]:
    """Return the share of the values in each of `columns` columns from `low` to `high`.

    Values are assumed to be spread evenly between two quantiles; those beyond the first or the last are left out.
    """
    found = [0.0] * columns
    width = high - low or 1.0
    # Divided first, so that the highest lies at the end and not, rounded, beyond it.
    known = [(at, (x - low) / width * columns) for at, x in zip(SHOWN, quantiles, strict=False) if x is not None]
    for (before, left), (upto, right) in pairwise(known):
        if left == right:
            if 0 <= left <= columns:
                found[min(int(left), columns - 1)] += upto - before
            continue
        for column in range(max(int(left), 0), min(ceil(right), columns)):
            found[column] += (upto - before) * (min(right, column + 1) - max(left, column)) / (right - left)
    return found


def bars(shares: Sequence[float], highest: float, height: int = _HEIGHT) -> list[str]:
    """Return a histogram's lines, the top first; a share above zero is always visible."""
    eighths = [max(round(8 * height * share / highest), 1) if share > 0 else 0 for share in shares]
    return ["".join(_EIGHTHS[min(max(e - 8 * line, 0), 8)] for e in eighths) for line in reversed(range(height))]


def draw_quantiles(drift: Drift, width: int) -> list[Text]:
    """Return both distributions, and below them the quantiles with how far each moved; empty without numbers."""
    then, now = drift.reference_quantiles, drift.quantiles
    every = [x for quantiles in (then, now) for x in quantiles[_SCALE] if x is not None]
    if not every:
        return []
    low, high = min(every), max(every)
    left = 6 + 2 * _NUMBER + 2
    columns = max(width - left, 10)
    both = [masses(quantiles, low, high, columns) for quantiles in (then, now)]
    highest = max(map(max, both)) or 1.0
    lines = []
    for name, shares, n, colour in zip(
        ("reference", "window"), both, (drift.reference_n, drift.n), (THEN, NOW), strict=True
    ):
        labels = ["", name, f"{n:,} values"]
        for label, line in zip(labels, bars(shares, highest), strict=True):
            lines.append(Text.assemble((f"{label:>{left - 2}}  ", "dim"), (line, colour)))
    numbers = f"{_number(low)}{_number(high):>{columns - len(_number(low))}}"
    lines.append(Text(" " * left + numbers, "dim"))
    lines.append(Text.assemble(" " * 6, (f"{'then':>{_NUMBER}}", THEN), (f"{'now':>{_NUMBER}}", NOW)))
    pad: Quantiles = (None,) * len(SHOWN)
    for at, x, y in zip(SHOWN, then or pad, now or pad, strict=True):
        row = Text.assemble((f"{at:>4.0%}  ", "dim"), f"{_number(x):>{_NUMBER}}{_number(y):>{_NUMBER}}  ")
        lines.append(row.append_text(_dumbbell(x, y, low, high, columns)))
    return lines


def _dumbbell(then: float | None, now: float | None, low: float, high: float, columns: int) -> Text:
    """Return a ring where a quantile was, a disc where it is, a line between them; arrows if it is off the scale."""
    marks = {}
    for x, mark, colour in ((then, "○", THEN), (now, "●", NOW)):
        if x is not None:
            part = (x - low) / (high - low) if high > low else float(x > low) - float(x < low)
            shown = "◂" if part < 0 else "▸" if part > 1 else mark
            marks[round(min(max(part, 0), 1) * (columns - 1))] = shown, colour
    line = Text()
    for index in range(max(marks, default=-1) + 1):
        between = len(marks) > 1 and min(marks) < index < max(marks)
        line.append(*marks.get(index, ("─" if between else " ", "dim")))
    return line


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
