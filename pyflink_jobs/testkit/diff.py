"""Compare two tables as multisets of rows: the order of rows does not count, their number does.

Rows are equal if all their cells are. Two floats of a DOUBLE column are equal if they differ by at most 1e-9 of the
larger.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyflink_jobs.testkit.values import Value

__all__ = ["Diff", "compare", "same_cell"]

_TOLERANCE = 1e-9  # relative, for DOUBLE: sums in another order differ by less

Cells = tuple["Value", ...]


@dataclass(frozen=True)
class Diff:
    """The differences of two tables: expected rows by their position, found rows by their cells.

    `changed` pairs a missing row with an unexpected one that agrees with it in at least half of the columns;
    each row is in one of the three only.
    """

    missing: list[int]
    unexpected: list[Cells]
    changed: list[tuple[int, Cells]]

    def __bool__(self) -> bool:
        """Return whether there is any difference."""
        return bool(self.missing or self.unexpected or self.changed)


def compare(expected: Sequence[Cells], found: Iterable[Cells], doubles: Sequence[bool]) -> Diff:
    """Return the difference of two multisets of rows; `doubles` has True for each DOUBLE column."""
    left = Counter(found)
    missing = []
    for position, row in enumerate(expected):
        if left[row] > 0:
            left[row] -= 1
        else:
            missing.append(position)
    unexpected = list(left.elements())
    _pair(expected, missing, unexpected, doubles, at_least=len(doubles))  # equal except for the last digits
    changed = _pair(expected, missing, unexpected, doubles, at_least=max(1, math.ceil(len(doubles) / 2)))
    return Diff(missing, unexpected, changed)


def _pair(
    expected: Sequence[Cells], missing: list[int], unexpected: list[Cells], doubles: Sequence[bool], *, at_least: int
) -> list[tuple[int, Cells]]:
    """Remove pairs of rows that agree in `at_least` so many columns from both lists, closest first, and return them."""
    likeness = [
        (-agreeing, position, index)
        for position in missing
        for index, row in enumerate(unexpected)
        if (agreeing := sum(map(same_cell, expected[position], row, doubles))) >= at_least
    ]
    pairs: dict[int, int] = {}
    for _, position, index in sorted(likeness):
        if position not in pairs and index not in pairs.values():
            pairs[position] = index
    found = [(position, unexpected[index]) for position, index in sorted(pairs.items())]
    missing[:] = [position for position in missing if position not in pairs]
    unexpected[:] = [row for index, row in enumerate(unexpected) if index not in pairs.values()]
    return found


def same_cell(expected: Value, found: Value, double: bool) -> bool:  # noqa: FBT001 - called by map()
    """Return whether two cells of a column are equal."""
    if expected is found or expected == found:
        return True
    if double and isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=_TOLERANCE)
    return False
