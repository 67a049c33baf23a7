"""Whether a slice of the reference has rows in a window: a slice that vanishes has no values to compare.

With `expected` rows by its share of the reference, a slice has none by chance with a probability of at most
exp(-expected), as rows are independent. Where they are not, as for a shop that is closed at night, earlier windows
without rows show it: the rank.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from udfs.drift.compare import Comparison
from udfs.drift.judge import RANK, Judgement
from udfs.drift.thresholds import ALPHA, conformal_p

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from udfs.distributions.counts import Counts

__all__ = ["ROWS", "SliceRows", "judge_rows", "slice_rows"]

ROWS = "(rows)"
"""The feature of a result on a slice that has no rows: its distance is 1, or 0 once there are rows again."""


class SliceRows(NamedTuple):
    """A slice in a window: its rows, how many are expected, and its rows in the same parts of the reference.

    `margin` is below 1 where none is too few: ln(slices / ALPHA) / expected.
    """

    label: str
    rows: int
    expected: float
    reference_rows: int
    margin: float

    @property
    def distance(self) -> float:
        """The share of the expected rows that are missing, 1 for all: only that is tested."""
        return float(not self.rows)


def slice_rows(
    counts: Mapping[tuple[str, int], Counts], labels: Sequence[str], rows: Mapping[str, Mapping[int, int]]
) -> list[SliceRows]:
    """Return the slices of the reference that are large enough for a window to miss them.

    `counts` are the reference's by slice and part of the season, `rows` the window's number of rows likewise.
    """
    window: dict[int, int] = {}
    for parts in rows.values():
        for part, some in parts.items():
            window[part] = window.get(part, 0) + some
    reference = {part: sum(c.rows for (_, at), c in counts.items() if at == part) for part in window}
    found = []
    for label in labels:
        own = {part: counts[label, part].rows for part in window if (label, part) in counts}
        expected = sum(window[part] * some / reference[part] for part, some in own.items())
        if expected and (margin := log(len(labels) / ALPHA) / expected) < 1:
            found.append(SliceRows(label, sum(rows.get(label, {}).values()), expected, sum(own.values()), margin))
    return found


def judge_rows(slices: Sequence[SliceRows], earlier: Callable[[str], Sequence[float]]) -> list[Judgement]:
    """Judge slices of one window; `earlier` returns the distances of a slice's earlier windows.

    The verdict is "drift" where a slice has no rows, and its rank among earlier windows is at most RANK.
    """
    found = []
    for s in slices:
        p = exp(-s.expected) if not s.rows else 1.0
        q = min(1.0, p * len(slices))
        past = earlier(s.label)
        rank = conformal_p(s.distance, past) if past else None
        rare = rank is None or rank <= max(RANK, 2 / (len(past) + 1))
        drift = not s.rows and rare
        c = Comparison(ROWS, s.rows, 0, s.reference_rows, 0, s.distance, s.distance, p)
        found.append(Judgement(s.label, c, "drift" if drift else "stable", q, rank, s.margin, holds=not s.rows))
    return found
