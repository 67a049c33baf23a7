"""The loop that the flights' job is compared with computes the same features."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from bench.flights.loop import Features
from pyflink_jobs.demo.flights import events
from tests.flight_features import flight_features


def test_the_loop_has_the_same_features() -> None:
    sample = events(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 3, tzinfo=UTC))
    departures, weather = sample.topics["departures"], sample.topics["weather"]
    loop = Features(weather.replace({np.nan: None}).to_dict("records"))
    found: dict[str, list[float]] = {}
    for number, flight in enumerate(departures.to_dict("records")):
        loop.add(flight, number % 4)
        found |= {done["flight_id"]: row for done, row in loop.complete({0, 1, 2, 3})}
    assert len(found) > 1000, "flights leave as time goes on"
    found |= {done["flight_id"]: row for done, row in loop.complete(set())}
    assert sorted(found) == sorted(departures["flight_id"])
    truth = flight_features(departures, weather, {*sorted(found)[::7]})
    for flight_id, expected in truth.items():
        np.testing.assert_array_equal(
            np.array(found[flight_id], np.float32), np.array([*expected.values()], np.float32), flight_id
        )
