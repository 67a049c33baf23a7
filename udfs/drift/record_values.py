"""The records of the topics `drift` and `alerts`: their fields and values, and the message of an alarm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from udfs.drift.slice_rows import ROWS

if TYPE_CHECKING:
    from udfs.drift.follow_windows import AlarmChange, Result
    from udfs.drift.monitor import Monitor

__all__ = ["ALERT_FIELDS", "RESULT_FIELDS", "alert_values", "result_values"]

RESULT_FIELDS = {
    "slice": "STRING",
    "feature": "STRING",
    "window_start": "BIGINT",
    "window_end": "BIGINT",
    "n": "BIGINT",
    "nulls": "BIGINT",
    "late": "BIGINT",
    "d_lo": "DOUBLE",
    "d_hi": "DOUBLE",
    "margin": "DOUBLE",
    "p": "DOUBLE",
    "q": "DOUBLE",
    "rank": "DOUBLE",
    "psi": "DOUBLE",
    "wasserstein": "DOUBLE",
    "verdict": "STRING",
    "reference_n": "BIGINT",
    "reference_nulls": "BIGINT",
    "quantiles": "ARRAY<DOUBLE>",
    "reference_quantiles": "ARRAY<DOUBLE>",
    "categories": "ARRAY<STRING>",
    "shares": "ARRAY<DOUBLE>",
    "reference_shares": "ARRAY<DOUBLE>",
}
"""The fields of each record of `drift`, with SQL types; times are in milliseconds since 1970."""

ALERT_FIELDS = {
    "slice": "STRING",
    "feature": "STRING",
    "event": "STRING",
    "since": "BIGINT",
    "window_start": "BIGINT",
    "window_end": "BIGINT",
    "message": "STRING",
    "defined_at": "STRING",
}
"""The fields of each record of `alerts`, with SQL types; times are in milliseconds since 1970."""

_MEDIAN = 5  # of the quantiles that are shown
_SECONDS = {86_400: "day", 3600: "hour", 60: "minute", 1: "second"}


def result_values(result: Result) -> tuple[object, ...]:
    """Return a result's values, in the order of RESULT_FIELDS."""
    j, c = result.judgement, result.judgement.comparison
    return (
        j.label, c.feature, result.start * 1000, result.end * 1000, c.n, c.nulls, result.late,
        c.d_lo, c.d_hi, j.margin, c.p, j.q, j.rank, c.psi, c.wasserstein, j.verdict,
        c.reference_n, c.reference_nulls, [*c.quantiles], [*c.reference_quantiles],
        [*c.categories], [*c.shares], [*c.reference_shares],
    )  # fmt: skip


def alert_values(change: AlarmChange, monitor: Monitor) -> tuple[object, ...]:
    """Return the values of an alarm that opens or closes, in the order of ALERT_FIELDS."""
    result = change.result
    places = dict(zip((*monitor.features, ROWS), (*monitor.places, monitor.slice_place), strict=True))
    place = places[result.judgement.comparison.feature]
    return (
        result.judgement.label,
        result.judgement.comparison.feature,
        "opens" if change.opens else "closes",
        change.since * 1000,
        result.start * 1000,
        result.end * 1000,
        _message(change, monitor, place),
        place,
    )


def _message(change: AlarmChange, monitor: Monitor, place: str) -> str:
    result = change.result
    c, margin = result.judgement.comparison, result.judgement.margin or 0.0
    if c.feature == ROWS:
        return _message_of_rows(change, monitor, place)
    which = f"{monitor.model} {monitor.version}: {c.feature} in slice {result.judgement.label}"
    if not change.opens:
        return f"{which} is as in the reference again; it had drifted since {_utc(change.since)}"
    if c.d_lo is None or c.null_shift > c.d_lo:
        now, then = c.nulls / (c.n + c.nulls), c.reference_nulls / (c.reference_n + c.reference_nulls)
        what = f"{now:.1%} of its values are NULL, {then:.1%} in the reference"
    else:
        what = f"its distribution is {c.d_lo:.2f} away from the reference's, {margin:.2f} is allowed"
    if c.quantiles and c.reference_quantiles:
        now_, then_ = c.quantiles[_MEDIAN], c.reference_quantiles[_MEDIAN]
        what += f"; its median is {_number(now_)}, it was {_number(then_)}"
    return f"{which} has drifted since {_utc(change.since)}: {what} (window of {_span(result)}; see {place})"


def _message_of_rows(change: AlarmChange, monitor: Monitor, place: str) -> str:
    which = f"{monitor.model} {monitor.version}: slice {change.result.judgement.label}"
    if not change.opens:
        return f"{which} has rows again; it had none since {_utc(change.since)}"
    then = f"the reference has {change.result.judgement.comparison.reference_n:,} rows of it"
    return f"{which} has no rows since {_utc(change.since)}: {then} (window of {_span(change.result)}; see {place})"


def _number(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.4g}"


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _span(result: Result) -> str:
    seconds = result.end - result.start
    unit = next(unit for unit in _SECONDS if seconds % unit == 0)
    count = seconds // unit
    return f"{count} {_SECONDS[unit]}{'s' * (count > 1)}"
