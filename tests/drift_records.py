"""Make records of the topics `drift` and `alerts` for tests: what a test does not say is as in a real one."""

from __future__ import annotations

import json

from pyflink_jobs.local.topics import Record

__all__ = ["alert", "drift", "record", "records"]

# dep_delay in JFK on 2013-06-25, shortened
_DRIFT: dict[str, object] = {
    "model": "late_arrival",
    "version": "1",
    "job": "score",
    "window_start": "2013-07-01T00:00:00Z",
    "window_end": "2013-07-02T00:00:00Z",
    "slice": "JFK",
    "feature": "dep_delay",
    "n": 300,
    "nulls": 0,
    "late": 0,
    "d_lo": 0.1,
    "d_hi": 0.1,
    "margin": 0.25,
    "p": 0.2,
    "q": 0.5,
    "rank": 0.4,
    "psi": 0.01,
    "wasserstein": 2.5,
    "verdict": "stable",
    "quantiles": [-9.0, -7.0, -5.0, -3.0, -2.0, 0.0, 9.0, 40.0, 80.0, 160.0],
    "reference_n": 4000,
    "reference_nulls": 0,
    "reference_quantiles": [-10.0, -8.0, -6.0, -4.0, -3.0, -1.0, 8.0, 39.0, 79.0, 159.0],
    "reference": "03636c1f80dc",
}

_ALERT: dict[str, object] = {
    "model": "late_arrival",
    "version": "1",
    "job": "score",
    "slice": "JFK",
    "feature": "dep_delay",
    "event": "opens",
    "since": "2013-07-01T00:00:00Z",
    "window_start": "2013-07-02T00:00:00Z",
    "window_end": "2013-07-03T00:00:00Z",
    "message": "late_arrival 1: dep_delay in slice JFK has drifted since 2013-07-01 00:00 UTC",
    "defined_at": "sql/models/late_arrival.sql:4",
}


def drift(day: int = 1, days: int = 1, **values: object) -> dict[str, object]:
    """Return a record of `drift` for the window that starts on a day of July."""
    span = {"window_start": f"2013-07-{day:02}T00:00:00Z", "window_end": f"2013-07-{day + days:02}T00:00:00Z"}
    return {**_DRIFT, **span, **values}


def alert(**values: object) -> dict[str, object]:
    """Return a record of `alerts`."""
    return {**_ALERT, **values}


def record(value: object, offset: int = 0, partition: int = 0, timestamp: int | None = None) -> Record:
    """Return a Kafka record of a value; its time is its offset, unless said."""
    return Record(partition, offset, offset if timestamp is None else timestamp, None, json.dumps(value).encode())


def records(*values: object) -> list[Record]:
    """Return Kafka records in this order."""
    return [record(value, offset) for offset, value in enumerate(values)]
