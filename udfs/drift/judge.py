"""Verdicts on all comparisons of a window together: q-values, and ranks among earlier windows.

>>> from udfs.drift.compare import Comparison
>>> far = Comparison("delay", n=1000, nulls=0, reference_n=10_000, reference_nulls=0, d_lo=0.4, d_hi=0.41, p=1e-12)
>>> [judgement] = judge([("(all)", far)], {"delay": 0.1}, {})
>>> judgement.verdict
'drift'
>>> [judgement] = judge([("(all)", far)], {"delay": 0.1}, {("(all)", "delay"): [0.3, 0.5] * 50})
>>> judgement.verdict
'stable'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from udfs.drift.thresholds import ALPHA, LEAST_N, Verdict, conformal_p, margin, q_values, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from udfs.drift.compare import Comparison

__all__ = ["HOLDS", "RANK", "Judgement", "judge"]

RANK = 0.02
"""The largest rank among earlier windows that is drift; where they are too few for it, the second largest distance."""

HOLDS = 0.2
"""The largest rank that keeps an alarm open; where earlier windows are too few for it, the second largest distance."""


@dataclass(frozen=True)
class Judgement:
    """A feature's comparison in the slice `label`, and the verdict on it.

    `q` is the p-value after Benjamini and Hochberg; `rank` the conformal p-value, None without earlier windows;
    `margin` what d_lo or the shift of NULLs must exceed, None without a test. `holds` is True where the drift is large
    enough to keep an open alarm open.
    """

    label: str
    comparison: Comparison
    verdict: Verdict
    q: float | None
    rank: float | None
    margin: float | None
    holds: bool = False


def judge(
    comparisons: Sequence[tuple[str, Comparison]],
    d_min: Mapping[str, float],
    earlier: Mapping[tuple[str, str], Sequence[float] | NDArray[np.float64]],
) -> list[Judgement]:
    """Judge all features of all slices of one window; each comparison comes with the label of its slice.

    `d_min` is by feature; `earlier` has the distances of earlier windows by slice and feature.
    The verdict is "drift" where the shift of NULLs exceeds the margin, or where the distance does so, its q-value is at
    most ALPHA, and its rank among earlier windows, if there are any, is at most RANK.
    """
    tested = [(c.p or 0.0) for _, c in comparisons if c.p is not None and c.n >= LEAST_N]
    q_of = iter(q_values(tested))
    found = []
    for label, c in comparisons:
        q = next(q_of) if c.p is not None and c.n >= LEAST_N else None
        past = earlier.get((label, c.feature), ())
        rank = conformal_p(c.d_lo, past) if len(past) and c.d_lo is not None else None
        found.append(_judge(label, c, d_min[c.feature], q, rank, len(past)))
    return found


def _judge(label: str, c: Comparison, d_min: float, q: float | None, rank: float | None, earlier: int) -> Judgement:
    rows, reference_rows = c.n + c.nulls, c.reference_n + c.reference_nulls
    if not reference_rows:
        return Judgement(label, c, "no reference", None, None, None)
    if rows < LEAST_N:
        return Judgement(label, c, "too few", None, rank, None)
    alpha = ALPHA / 2  # one half for the distance, one for NULLs
    if c.null_shift > (beyond := margin(rows, reference_rows, d_min, alpha)):
        return Judgement(label, c, "drift", q, rank, beyond, holds=True)
    if c.d_lo is None or q is None:
        return Judgement(label, c, "too few", q, rank, None)
    found = verdict(c.d_lo, c.n, c.reference_n, d_min, alpha, c.noise)
    placed = 0.0 if rank is None else rank
    holds = found == "drift" and placed <= max(HOLDS, 2 / (earlier + 1))
    if found == "drift" and (q > ALPHA or placed > max(RANK, 2 / (earlier + 1))):
        found = "stable"
    return Judgement(label, c, found, q, rank, margin(c.n, c.reference_n, d_min, alpha, c.noise), holds)
