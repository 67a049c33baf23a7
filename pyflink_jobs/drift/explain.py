"""Explain a feature in a window: against the reference, in each slice, and what the numbers mean in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pyflink_jobs.drift.category_changes import category_changes, in_words
from pyflink_jobs.drift.heat_map import worst
from pyflink_jobs.drift.records import Drift, utc
from pyflink_jobs.drift.results import unknown
from pyflink_jobs.errors import KafkaError
from udfs.distributions.psi import GROUPS
from udfs.drift.judge import RANK
from udfs.drift.slice_rows import ROWS
from udfs.drift.thresholds import ALPHA, LEAST_N

if TYPE_CHECKING:
    from pyflink_jobs.drift.results import Results

__all__ = ["Explanation", "Measure", "explain", "measures", "sentence"]

_NOBODY = 1e-6  # shares below this are not worth a number
_NAMED = 3  # categories in a sentence
_MUCH_BY_CHANCE = 0.05  # half of a PSI that is little by custom


@dataclass(frozen=True)
class Explanation:
    """A feature in a window of one slice; the same in all slices, sums with it that drifted, and its open alarm."""

    drift: Drift
    slices: tuple[Drift, ...]
    sums: tuple[Drift, ...]
    alarm: str | None


class Measure(NamedTuple):
    """A number and what it means."""

    name: str
    value: str
    meaning: str


def explain(results: Results, window: str, feature: str, label: str | None = None) -> Explanation:
    """Return what is known of a feature in the window that starts at a time; the worst slice, if none is named.

    Raises KafkaError if the window, the feature or the slice is unknown.
    """
    start = _start(results, window)
    if feature not in results.features:
        raise unknown("feature", feature, results.features)
    if label is not None and label not in results.slices:
        raise unknown("slice", label, results.slices)
    found = [d for (at, name, _), d in sorted(results.singles.items()) if (at, name) == (start, feature)]
    chosen = worst(d for d in found if label in (None, d.slice))
    if chosen is None:
        raise KafkaError(
            f"slice {label or '(all)'} has no `{feature}` in the window of {utc(start)}",
            facts=(f"slices with rows in it: {', '.join(d.slice for d in found) or 'none'}",),
        )
    end = start + results.length
    sums = [
        s
        for s in results.sums
        if s.feature == feature and s.window_start <= start and end <= s.window_end and s.verdict == "drift"
    ]
    alarms = [a.message for a in results.alarms if (a.slice, a.feature) == (chosen.slice, feature)]
    sums.sort(key=lambda s: (s.length, s.window_start, s.slice))
    return Explanation(chosen, tuple(found), tuple(sums), alarms[-1] if alarms else None)


def sentence(drift: Drift) -> str:
    """Return a sentence on a feature in a window."""
    where = drift.feature + ("" if drift.slice == "(all)" else f" in {drift.slice}")
    if drift.verdict == "no reference":
        return f"{where} has no verdict: its reference profile has no rows to compare it with."
    if drift.verdict == "too few":
        rows = drift.n + drift.nulls
        few = f"it has {rows:,} rows" + (f", {drift.nulls:,} of them NULL" if drift.nulls else "")
        return f"{where} has no verdict: {few}, and below {LEAST_N} values chance would decide."
    return _of_rows(drift) if drift.feature == ROWS else _tested(drift, where)


def _tested(drift: Drift, where: str) -> str:
    moved = _moved(drift)
    if drift.verdict == "drift":
        return f"{where} has drifted: {moved}."
    if (drift.strength or 0) <= 1:
        return f"{where} is as in the reference: {moved}."
    if drift.q is not None and drift.q > ALPHA:
        return f"{where} is beyond the margin, but not called drift: with so many features and slices it may be chance."
    return (
        f"{where} is beyond the margin, but that is nothing new, so this window alone is not called drift: {moved}; "
        f"of the windows up to this one, {drift.rank or 0:.0%} were as far away."
    )


def _of_rows(drift: Drift) -> str:
    where = f"slice {drift.slice}"
    if drift.n:
        return f"{where} has rows again: {drift.n:,}."
    missing = f"{where} has no rows, and the reference has {drift.reference_n:,}"
    if drift.verdict == "drift":
        return f"{missing}."
    return f"{missing}, but that is nothing new: {drift.rank or 0:.0%} of the windows up to this one had none."


def measures(drift: Drift) -> list[Measure]:
    """Return the numbers that are known, each with its meaning; only the shares of NULL where values are too few."""
    found = []
    if drift.verdict == "too few" or drift.feature == ROWS:
        drift = replace(drift, d_lo=None, wasserstein=None, psi=None, q=None, rank=None)
    if drift.d_lo is not None and drift.d_hi is not None:
        exact = f"{drift.d_hi:.3f}" == f"{drift.d_lo:.3f}"
        value = f"{drift.d_lo:.3f}" if exact else f"{drift.d_lo:.3f}..{drift.d_hi:.3f}"
        what = "largest difference of the shares below a value" if drift.quantiles else "share of values that changed"
        allowed = "" if drift.margin is None else f"; drift begins at {drift.margin:.3f}"
        found.append(Measure("distance", value, what + allowed))
    if drift.nulls or drift.reference_nulls:
        then = f"of the rows are NULL, {drift.reference_null_share:.1%} in the reference"
        found.append(Measure("NULL", f"{drift.null_share:.1%}", then))
    if drift.wasserstein is not None:
        found.append(Measure("Wasserstein", f"{drift.wasserstein:.4g}", "how far values moved on average, in its unit"))
    if drift.psi is not None:
        what = f"by custom: below 0.1 little, above 0.25 much{_chance(drift)}"
        found.append(Measure("PSI", f"{drift.psi:.3f}", what))
    if drift.q is not None:
        false = "next to none" if drift.q < _NOBODY else f"up to {100 * drift.q:.2g}%"
        what = f"{false} of the alarms at this level are chance (drift: {ALPHA:.1%})"
        found.append(Measure("q", f"{drift.q:.2g}", what))
    if drift.rank is not None:
        what = f"{drift.rank:.1%} of the windows up to this one were as far away (new drift: {RANK:.0%})"
        found.append(Measure("rank", f"{drift.rank:.3f}", what))
    if drift.late:
        found.append(Measure("late", f"{drift.late:,}", "rows came after the window's end and were added"))
    return found


def _chance(drift: Drift) -> str:
    """Return what the PSI is by chance, where that is much: about (groups - 1) (1/n + 1/m), as a chi-square."""
    if not drift.n or not drift.reference_n:
        return ""
    by_chance = (GROUPS - 1) * (1 / drift.n + 1 / drift.reference_n)
    return f"; by chance about {by_chance:.2f} with so few values" if by_chance > _MUCH_BY_CHANCE else ""


def _moved(drift: Drift) -> str:
    margin = drift.margin or 0.0
    if drift.null_shift > (drift.d_lo or 0.0):
        then = f"{drift.null_share:.1%} of its rows are NULL, {drift.reference_null_share:.1%} in the reference"
        return f"{then}; a difference of {100 * margin:.0f} percentage points is allowed"
    least = "" if drift.d_hi == drift.d_lo else "at least "
    points = f"{least}{100 * (drift.d_lo or 0):.0f} percentage points, where {100 * margin:.0f} are allowed"
    if not drift.quantiles or not drift.reference_quantiles:
        changes = "; ".join(in_words(change) for change in category_changes(drift)[:_NAMED])
        return f"the shares of its values differ by {points}" + (f" ({changes})" if changes else "")
    then_, now = drift.reference_median, drift.median
    medians = "" if then_ is None or now is None else f" (median {now:.4g}, it was {then_:.4g})"
    return (
        f"its values {_direction(drift)}{medians}, and at some point the share of values below it differs by {points}"
    )


def _direction(drift: Drift) -> str:
    both = zip(drift.reference_quantiles, drift.quantiles, strict=True)
    known = [(then, now) for then, now in both if then is not None and now is not None]
    moves = [now - then for then, now in known]
    if not any(moves):
        return "are nearly the same"
    if min(moves) >= 0:
        return "are higher"
    if max(moves) <= 0:
        return "are lower"
    return "spread more" if moves[-1] > moves[0] else "spread less"


def _start(results: Results, window: str) -> datetime:
    try:
        start = datetime.fromisoformat(window)
    except ValueError as error:
        raise KafkaError(
            f"`{window}` is not the start of a window",
            fixes=(f"write it as {utc(results.windows[-1])}, or with an hour as 2013-07-04T05:00 (UTC)",),
        ) from error
    start = start.replace(tzinfo=start.tzinfo or UTC)
    if start in results.windows:
        return start
    nearest = min(results.windows, key=lambda there: abs(there - start))
    raise KafkaError(
        f"no window starts at {utc(start)} (UTC)",
        facts=(f"{len(results.windows)} windows start from {utc(results.windows[0])} to {utc(results.windows[-1])}",),
        fixes=(f"take the nearest: {utc(nearest)}",),
    )
