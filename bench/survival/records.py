"""The records sent during faults: real flights and weather, and some invalid records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from pyflink_jobs.demo.bad_records import BAD
from pyflink_jobs.demo.flights import Events, events
from pyflink_jobs.demo.send_flights import records

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DAY_MS", "Sent", "closing_records", "flowing_records"]

DAY_MS = 86_400_000
_BAD_EVERY = 97  # departures
_YEAR = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 12, 31, tzinfo=UTC)  # 364 days, thus whole weeks
_INVALID = [value for reason, value in BAD if reason != "late"]
"""Without late records: whether a record is late depends on the records read before it, and may differ between runs."""


class Sent(NamedTuple):
    """A record to be sent; `valid` is whether it should be scored, None for weather."""

    topic: str
    key: bytes
    value: bytes
    event_ms: int
    valid: bool | None


def flowing_records() -> Iterator[Sent]:
    """Yield the year's flights and weather in the order of sending, repeatedly, each year with other ids."""
    year = events(*_YEAR)
    invalid = count()
    for turn in count():
        departures = 0
        for record in records(_later(year, turn)):
            if record.topic == "weather":
                yield Sent("weather", record.key, record.value, record.event_ms, None)
                continue
            yield Sent("departures", record.key, record.value, record.event_ms, valid=True)
            departures += 1
            if departures % _BAD_EVERY == 0:
                value = _INVALID[next(invalid) % len(_INVALID)]
                yield Sent("departures", record.key, value, record.event_ms, valid=False)


def closing_records(event_ms: int, partitions: int) -> tuple[list[bytes], bytes]:
    """Return a departure for each partition, and an observation of the weather: they end all windows before them."""
    times = dict.fromkeys(("scheduled_ms", "departed_ms"), event_ms)
    places = {"origin": "EWR", "dest": "BOS", "distance": 200}
    flight = {"carrier": "UA", "flight": 1, "tailnum": "N1", "dep_delay": 0, **places, **times}
    departures = [json.dumps({"flight_id": f"closing-{number}", **flight}).encode() for number in range(partitions)]
    return departures, json.dumps({"origin": "EWR", "observed_ms": event_ms, "temp": 50.0}).encode()


def _later(year: Events, turn: int) -> Events:
    """Return the events so many years of 364 days later; arrivals are left out."""
    shift = turn * 364 * DAY_MS
    departures, weather = year.topics["departures"].copy(), year.topics["weather"].copy()
    for frame, columns in ((departures, ("scheduled_ms", "departed_ms")), (weather, ("observed_ms",))):
        for column in columns:
            frame[column] += shift
        frame.index += shift
    if turn:
        departures["flight_id"] += f"+{turn}"
    return Events({"departures": departures, "weather": weather}, {})
