"""What a window's comparisons mean together: q-values, ranks among earlier windows, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from udfs.drift.thresholds import ALPHA, LEAST_N, Verdict, conformal_p, margin, q_values, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from udfs.drift.compare import Comparison

__all__ = ["HOLDS", "RANK", "Judgement", "judge"]

RANK = 0.02
"""The rank that a window with drift must have among earlier ones; where they are too few for that, the second."""

HOLDS = 0.2
"""The rank above which an open alarm holds no longer; where earlier windows are too few for that, the second."""


@dataclass(frozen=True)
class Judgement:
    """A feature's comparison in a slice, and what it means.

    `q` is the p-value after Benjamini and Hochberg; `rank` the conformal p-value, None without earlier windows;
    `margin` what d_lo or the shift of NULLs must exceed, None where nothing was tested. `holds` says whether it is
    drift enough for an open alarm to stay open.
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
    earlier: Mapping[tuple[str, str], Sequence[float]],
) -> list[Judgement]:
    """Judge all features of all slices of one window, given with the slice's label.

    `d_min` goes by feature; `earlier` has the distances of earlier windows by slice and feature.
    Drift is: a distance beyond the margin, or a share of NULL beyond it; the former also among all features and slices
    (q), and where there is history, among earlier windows (rank).
    """
    tested = [(c.p or 0.0) for _, c in comparisons if c.p is not None and c.n >= LEAST_N]
    q_of = iter(q_values(tested))
    found = []
    for label, c in comparisons:
        q = next(q_of) if c.p is not None and c.n >= LEAST_N else None
        past = earlier.get((label, c.feature), ())
        rank = conformal_p(c.d_lo, past) if past and c.d_lo is not None else None
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
    found = verdict(c.d_lo, c.n, c.reference_n, d_min, alpha)
    placed = 0.0 if rank is None else rank
    holds = found == "drift" and placed <= max(HOLDS, 2 / (earlier + 1))
    if found == "drift" and (q > ALPHA or placed > max(RANK, 2 / (earlier + 1))):
        found = "stable"
    return Judgement(label, c, found, q, rank, margin(c.n, c.reference_n, d_min, alpha), holds)
