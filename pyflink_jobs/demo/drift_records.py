"""Read the topics `drift` and `alerts`, which monitored models fill, and put their records in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pyflink_jobs.demo.drift_results import Alarm, Drift, Gap, Row
from pyflink_jobs.demo.tables import read_table
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["ALERT_FIELDS", "RESULT_FIELDS", "drift", "read_drift"]

PAIRS = 3  # features of which the page shows both distributions
JUDGED = ("stable", "drift")
SAME = ["slice", "feature", "window_start", "window_end"]
TIME = pa.timestamp("ms", tz="UTC")
RESULT_FIELDS = {
    "model": pa.string(),
    "slice": pa.string(),
    "feature": pa.string(),
    "window_start": TIME,
    "window_end": TIME,
    "d_lo": pa.float64(),
    "margin": pa.float64(),
    "verdict": pa.string(),
    "quantiles": pa.list_(pa.float64()),
    "reference_quantiles": pa.list_(pa.float64()),
}
ALERT_FIELDS = {
    "model": pa.string(),
    "slice": pa.string(),
    "feature": pa.string(),
    "event": pa.string(),
    "since": TIME,
    "window_start": TIME,
    "window_end": TIME,
}


def read_drift(bootstrap: str) -> Drift | None:
    """Read what the Kafka at `bootstrap` has of it; None where the topic is missing or no window was judged.

    Raises KafkaError where no broker answers or a topic holds something else than such records.
    """
    there = topics.names(bootstrap)
    if "drift" not in there:
        return None
    no_alerts = pa.schema([*ALERT_FIELDS.items()]).empty_table().to_pandas()
    results = read_table(bootstrap, "drift", RESULT_FIELDS)
    alerts = read_table(bootstrap, "alerts", ALERT_FIELDS) if "alerts" in there else no_alerts
    return drift(results, alerts)


def drift(results: pd.DataFrame, alerts: pd.DataFrame) -> Drift | None:
    """Put the records of the topics drift and alerts in order; given as they came, the oldest first.

    Of several records of the same window the newest counts, for a job may have run twice or rows have come late. Where
    several models were monitored, it is the one of the newest record. None if no window was judged.
    """
    newest = results.drop_duplicates(["model", *SAME], keep="last")
    judged = newest[newest["verdict"].isin(JUDGED)]
    if not len(judged):
        return None
    model = judged["model"].iloc[-1]
    judged = judged[judged["model"] == model]
    judged = judged.assign(drifted=judged["verdict"] == "drift", excess=judged["d_lo"] - judged["margin"])
    lengths = judged["window_end"] - judged["window_start"]
    windows = judged[lengths == lengths.min()]
    alarms = _alarms(alerts[alerts["model"] == model], judged)
    return Drift(
        starts=[start.to_pydatetime() for start in sorted(windows["window_start"].unique())],
        length=lengths.min().to_pytimedelta(),
        end=windows["window_end"].max().to_pydatetime(),
        slices=sorted(judged["slice"].unique()),
        windows=len(windows),
        sums=len(judged) - len(windows),
        drifted=int(judged["drifted"].sum()),
        rows=_rows(windows),
        gaps=_gaps(judged, {(alarm.slice, alarm.feature) for alarm in alarms}),
        alarms=alarms,
    )


def _rows(windows: pd.DataFrame) -> list[Row]:
    starts = sorted(windows["window_start"].unique())
    rows = []
    for feature, own in windows.groupby("feature"):
        by_start = own.groupby("window_start")
        d = by_start["d_lo"].max().reindex(starts)
        rows.append(
            Row(
                str(feature),
                [None if np.isnan(value) else float(value) for value in d],
                [bool(value) for value in by_start["drifted"].any().reindex(starts, fill_value=False)],
                windows=len(own),
                beyond=int((own["excess"] > 0).sum()),
                mean=float(np.nan_to_num(own["d_lo"].mean())),  # windows of NULLs alone have no D
                largest=float(np.nan_to_num(own["d_lo"].max())),
            )
        )
    return sorted(rows, key=lambda row: (-row.beyond / row.windows, -row.mean))


def _gaps(judged: pd.DataFrame, alarmed: set[tuple[str, str]]) -> list[Gap]:
    """Return the worst features, each with the window that is farthest beyond its margin; those with alarms first."""
    beyond = judged[judged["excess"] > 0]
    has_alarm = [pair in alarmed for pair in zip(beyond["slice"], beyond["feature"], strict=True)]
    order = beyond.assign(has_alarm=has_alarm).sort_values(
        ["has_alarm", "drifted", "excess"], ascending=False, kind="stable"
    )
    return [_gap(row) for row in order.drop_duplicates("feature").head(PAIRS).itertuples()]


def _alarms(alerts: pd.DataFrame, judged: pd.DataFrame) -> list[Alarm]:
    """Join what opened with what closed next."""
    windows = dict(zip(judged[SAME].itertuples(index=False, name=None), judged.itertuples(), strict=True))
    events = alerts.drop_duplicates([*SAME, "event"], keep="last").sort_values("window_end", kind="stable")
    alarms = []
    for _, own in events.groupby(["slice", "feature"]):
        opening: Any = None
        for event in own.itertuples():
            if event.event == "opens":
                opening = opening or event  # two runs may have opened it, in different windows
            elif opening:
                alarms.append(_alarm(opening, event.window_end, windows))
                opening = None
        if opening:
            alarms.append(_alarm(opening, None, windows))
    return sorted(alarms, key=lambda alarm: (alarm.since, alarm.feature, alarm.slice))


def _alarm(opening: Any, until: pd.Timestamp | None, windows: dict[tuple[Any, ...], Any]) -> Alarm:  # noqa: ANN401 - rows of pandas
    window = windows.get(tuple(getattr(opening, name) for name in SAME))
    return Alarm(
        opening.slice,
        opening.feature,
        opening.since.to_pydatetime(),
        until and until.to_pydatetime(),
        None if window is None else _gap(window),
    )


def _gap(row: Any) -> Gap:  # noqa: ANN401 - a row of pandas
    start, end = row.window_start.to_pydatetime(), row.window_end.to_pydatetime()
    now, then = (_floats(quantiles) for quantiles in (row.quantiles, row.reference_quantiles))
    return Gap(row.slice, row.feature, start, end, float(row.d_lo), float(row.margin), now, then)


def _floats(quantiles: Sequence[float] | None) -> list[float]:
    """Return quantiles as floats; an infinite one is NULL in Kafka and NaN here, and text has none."""
    return [] if quantiles is None else [float("nan") if value is None else float(value) for value in quantiles]
