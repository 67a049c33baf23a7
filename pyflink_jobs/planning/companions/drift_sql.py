"""The SQL behind a model's monitor: from the partial counts that ride on scored rows to the topics drift and alerts.

partials   one row for each batch, window, slice and group of features
merged     one for each window, slice and group: counts, and their comparison with the reference; in parallel
windows    one for each window, with all its slices and groups; and one for each partial that came late
followed   verdicts and alarms, in a stream of changes
results    those that are new
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.system_tables import ALERTS, DRIFT, SCORE
from udfs.drift.record_values import ALERT_FIELDS, RESULT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.planning.companions.monitor_options import Monitored

__all__ = ["TABLES", "drift_views", "insert_sql"]

_MERGED = "ROW<`slice` STRING, `feature_group` INT, `comparisons` STRING, `counts` BYTES>"
_TIMES = ("window_start", "window_end", "since")


_OF_MODEL = ("model", "version", "job", "reference")
TABLES = {DRIFT: (*_OF_MODEL, *RESULT_FIELDS), ALERTS: (*_OF_MODEL, *ALERT_FIELDS)}
"""The tables that a job with a monitored model writes, with the columns that each may have."""


def drift_views(monitored: Monitored, scored: str, number: int, merge: str, follow: str) -> dict[str, str]:
    """Return the views over the view `scored`, the last of which has the new results.

    `merge` and `follow` are the names of their functions.
    """
    model, interval = monitored.monitor.model, monitored.options.interval
    time = quoted(monitored.options.time.value)
    names = {kind: f"{model}_{kind}_{number}" for kind in ("partials", "merged", "windows", "followed", "new_results")}
    score, lateness = quoted(SCORE), monitored.options.allowed_lateness
    start = f"EXTRACT(EPOCH FROM {time}) / {monitored.options.window} * {monitored.options.window}"
    # Flink's window takes no row from its last millisecond on.
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
    merged = f"""SELECT
  TUMBLE_ROWTIME(`event_time`, {interval}) AS `window_time`, `slice`, `feature_group`,
  {quoted(merge)}(`slice`, `feature_group`, `window_start`, `partial`) AS `merged`
FROM {quoted(names["partials"])}
WHERE `arrival` = 'in time'
GROUP BY TUMBLE(`event_time`, {interval}), `slice`, `feature_group`"""
    windows = f"""SELECT
  EXTRACT(EPOCH FROM TUMBLE_START(`window_time`, {interval})) AS `window_start`, 'in time' AS `arrival`,
  ARRAY_AGG(CAST(ROW(`slice`, `feature_group`, `merged`.`comparisons`, `merged`.`counts`) AS {_MERGED})) AS `merged`
FROM {quoted(names["merged"])}
WHERE `merged` IS NOT NULL
GROUP BY TUMBLE(`window_time`, {interval})
UNION ALL
SELECT
  `window_start`, `arrival`,
  ARRAY[CAST(ROW(`slice`, `feature_group`, CAST(NULL AS STRING), `partial`) AS {_MERGED})]
FROM {quoted(names["partials"])}
WHERE `arrival` <> 'in time'"""
    followed = f"""SELECT `model`, {quoted(follow)}(`window_start`, `arrival`, `merged`) AS `followed`
FROM (SELECT {literal(model)} AS `model`, `window_start`, `arrival`, `merged` FROM {quoted(names["windows"])})
GROUP BY `model`"""
    new_results = f"""SELECT `followed`.`results` AS `results`, `followed`.`alerts` AS `alerts`
FROM TO_CHANGELOG(input => TABLE {quoted(names["followed"])})
WHERE `op` IN ('INSERT', 'UPDATE_AFTER')"""
    return dict(zip(names.values(), (partials, merged, windows, followed, new_results), strict=True))


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
