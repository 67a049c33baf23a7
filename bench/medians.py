"""Medians over the rounds of a run, and their texts in a table."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

__all__ = ["add_columns", "cells", "median_of_known"]


def median_of_known(numbers: Iterable[float]) -> float | None:
    """Return the median of the numbers that are not NaN (of runs too short to measure); None without any."""
    known = [number for number in numbers if not math.isnan(number)]
    return median(known) if known else None


def add_columns(table: Table, columns: Mapping[str, tuple[str, str]]) -> None:
    """Add a column for each figure, as `cells` has them."""
    for title, _ in columns.values():
        table.add_column(title, justify="right")


def cells(figures: Mapping[str, float | None], columns: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a row's texts; `columns` gives, for each figure, its heading and its format."""
    found = ((figures.get(name), form) for name, (_, form) in columns.items())
    return ["-" if figure is None else form.format(figure) for figure, form in found]
