"""Read the topics `drift` and `alerts`, which monitored models fill, and put their records in order."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyflink_jobs.demo.drift_results import Alarm, Drift, Gap, Row
from pyflink_jobs.drift import records
from pyflink_jobs.drift.results import newest, parsed, window
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from datetime import datetime

    from pyflink_jobs.local.topics import Record

__all__ = ["drift", "read_drift"]

PAIRS = 3  # features of which the page shows both distributions
JUDGED = ("stable", "drift")
SAME = ["slice", "feature", "window_start", "window_end"]


def read_drift(bootstrap: str) -> Drift | None:
    """Read what the Kafka at `bootstrap` has of it; None where the topic is missing or no window was judged.

    Raises KafkaError where no broker answers.
    """
    there = topics.names(bootstrap)
    drifts, alerts = (topics.read(bootstrap, name) if name in there else [] for name in ("drift", "alerts"))
    return drift(drifts, alerts)


def drift(drifts: Sequence[Record], alerts: Sequence[Record]) -> Drift | None:
    """Put the records of the topics `drift` and `alerts` in order.

    Where there are several series, it is the one of the newest result. None if no window was judged.
    """
    results = [result for result in newest(parsed(drifts, records.Drift.read), window) if result.verdict in JUDGED]
    if not results:
        return None
    series = results[-1].series
    judged = pd.DataFrame([vars(result) for result in results if result.series == series])
    judged = judged.astype({"d_lo": float, "margin": float})  # without any number, a column would have objects
    judged = judged.assign(drifted=judged["verdict"] == "drift", excess=judged["d_lo"] - judged["margin"])
    events = newest(parsed(alerts, records.Alarm.read), _event)
    alarms = _alarms([event for event in events if (event.model, event.version, event.job) == series[:3]], judged)
    lengths = judged["window_end"] - judged["window_start"]
    windows = judged[lengths == lengths.min()]
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


def _event(_: Record, alarm: records.Alarm) -> Hashable:
    """Return the key of an alert: a later record of the same event replaces it."""
    return tuple(getattr(alarm, name) for name in ("model", "version", "job", *SAME, "event"))


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


def _alarms(events: list[records.Alarm], judged: pd.DataFrame) -> list[Alarm]:
    """Join what opened with what closed next."""
    windows = dict(zip(judged[SAME].itertuples(index=False, name=None), judged.itertuples(), strict=True))
    pairs: dict[tuple[str, str], list[records.Alarm]] = defaultdict(list)
    for event in sorted((one for one in events if one.window_end), key=attrgetter("window_end")):
        pairs[event.slice, event.feature].append(event)
    alarms = []
    for own in pairs.values():
        opening: records.Alarm | None = None
        for event in own:
            if event.event == "opens":
                opening = opening or event  # two runs may have opened it, in different windows
            elif opening:
                alarms.append(_alarm(opening, event.window_end, windows))
                opening = None
        if opening:
            alarms.append(_alarm(opening, None, windows))
    return sorted(alarms, key=lambda alarm: (alarm.since, alarm.feature, alarm.slice))


def _alarm(opening: records.Alarm, until: datetime | None, windows: dict[tuple[Any, ...], Any]) -> Alarm:
    opened_by = windows.get(tuple(getattr(opening, name) for name in SAME))
    since = opening.since or opening.window_end
    assert since  # noqa: S101 - `_alarms` leaves out what has no window
    return Alarm(opening.slice, opening.feature, since, until, None if opened_by is None else _gap(opened_by))


def _gap(row: Any) -> Gap:  # noqa: ANN401 - a row of pandas
    start, end = row.window_start.to_pydatetime(), row.window_end.to_pydatetime()
    now, then = (_floats(quantiles) for quantiles in (row.quantiles, row.reference_quantiles))
    return Gap(row.slice, row.feature, start, end, float(row.d_lo), float(row.margin), now, then)


def _floats(quantiles: Sequence[float] | None) -> list[float]:
    """Return quantiles as floats; an infinite one is NULL in Kafka and NaN here, and text has none."""
    return [] if quantiles is None else [float("nan") if value is None else float(value) for value in quantiles]
