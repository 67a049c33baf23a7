"""The SQL behind a model's monitor: from the partial counts that ride on scored rows to the topics drift and alerts.

partials   one row for each batch, window, slice and group of features
merged     one for each window, slice and group, and for sums of 2, 4, ... windows: counts; and one for each correction
compared   what distinguishes them from the reference
windows    one for each window, with its sums and all slices and groups; and one for each correction
results    verdicts and alarms
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.system_tables import ALERTS, DRIFT, SCORE
from udfs.drift.record_values import ALERT_FIELDS, RESULT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.planning.companions.monitor_options import Monitored

__all__ = ["TABLES", "Functions", "drift_views", "insert_sql"]

_TIMES = ("window_start", "window_end", "since")


_OF_MODEL = ("model", "version", "job", "reference")
TABLES = {DRIFT: (*_OF_MODEL, *RESULT_FIELDS), ALERTS: (*_OF_MODEL, *ALERT_FIELDS)}
"""The tables that a job with a monitored model writes, with the columns that each may have."""


class Functions(NamedTuple):
    """The names of the functions that a call's views use, in the order of the views."""

    merge: str
    compare: str
    gather: str
    judge: str


def drift_views(monitored: Monitored, scored: str, number: int, functions: Functions) -> dict[str, str]:
    """Return the views over the view `scored`, the last of which has the new results."""
    model = monitored.monitor.model
    time = quoted(monitored.options.time.value)
    names = {kind: f"{model}_{kind}_{number}" for kind in ("partials", "merged", "compared", "windows", "new_results")}
    merge, compare, gather, judge = map(quoted, functions)
    score, lateness = quoted(SCORE), monitored.options.allowed_lateness
    start = f"EXTRACT(EPOCH FROM {time}) / {monitored.options.window} * {monitored.options.window}"
    # Flink's windows take no row from their last millisecond on.
    last = f"TO_TIMESTAMP_LTZ(({start} + {monitored.options.window}) * 1000 - 1, 3)"
    allowed = f"TO_TIMESTAMP_LTZ(({start} + {monitored.options.window + lateness}) * 1000 - 1, 3)"
    late = f"\n      WHEN CURRENT_WATERMARK({time}) >= {last} THEN 'late'" if lateness else ""
    partials = f"""SELECT
  `event_time`, `window_start`, DECODE(`partials`[1], 'UTF-8') AS `slice`,
  `ordinality` - 2 AS `feature_group`, `partial`, `arrival`
FROM (
  SELECT
    {time} AS `event_time`, {start} AS `window_start`, {score}.`_partials` AS `partials`,
    CASE
      WHEN CURRENT_WATERMARK({time}) >= {allowed} THEN 'lost'{late}
      ELSE 'in time'
    END AS `arrival`
  FROM {quoted(scored)}
  WHERE {score}.`_partials` IS NOT NULL
) AS `carried`
CROSS JOIN UNNEST(`carried`.`partials`) WITH ORDINALITY AS `partial` (`partial`, `ordinality`)
WHERE `ordinality` > 1"""
    merged = f"""SELECT *
FROM {merge}(
  input => TABLE {quoted(names["partials"])} PARTITION BY (`slice`, `feature_group`),
  on_time => DESCRIPTOR(`event_time`),
  uid => {literal(names["merged"])}
)"""
    compared = f"""SELECT
  `rowtime` AS `event_time`, `level`, `window_start`, `slice`, `feature_group`, `arrival`,
  {compare}(`level`, `window_start`, `slice`, `feature_group`, `counts`, `late`) AS `compared`
FROM {quoted(names["merged"])}"""
    windows = f"""SELECT *
FROM {gather}(
  input => TABLE {quoted(names["compared"])},
  on_time => DESCRIPTOR(`event_time`),
  uid => {literal(names["windows"])}
)"""
    new_results = f"""SELECT `judged`.`results` AS `results`, `judged`.`alerts` AS `alerts`
FROM (
  SELECT {judge}(`follows`, `memory`, `history`, `window_start`, `arrival`, `compared`) AS `judged`
  FROM {quoted(names["windows"])}
)"""
    return dict(zip(names.values(), (partials, merged, compared, windows, new_results), strict=True))


def insert_sql(monitored: Monitored, job: str, new_results: str, table: str, columns: Iterable[str]) -> str:
    """Return the INSERT into `drift` or `alerts` of those columns that the table has."""
    monitor = monitored.monitor
    fields, array = (RESULT_FIELDS, "results") if table == DRIFT else (ALERT_FIELDS, "alerts")
    known = {
        "model": literal(monitor.model),
        "version": literal(monitor.version),
        "job": literal(job),
        "reference": literal(monitor.sha256[:12]),
        **{name: f"TO_TIMESTAMP_LTZ({quoted(name)}, 3)" if name in _TIMES else quoted(name) for name in fields},
    }
    wanted = [*columns]
    selected = ",\n  ".join(
        f"{known[name]} AS {quoted(name)}" if known[name] != quoted(name) else known[name] for name in wanted
    )
    return f"""INSERT INTO {quoted(table)} ({", ".join(map(quoted, wanted))})
SELECT
  {selected}
FROM {quoted(new_results)}
CROSS JOIN UNNEST({quoted(new_results)}.{quoted(array)}) AS `results` ({", ".join(map(quoted, fields))})"""
