"""What became of the flights: counted and joined by hand, for a dozen of them."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pyflink_jobs.demo.outcomes import Outcomes, outcomes

NEW_YORK = ZoneInfo("America/New_York")


def ms(clock: str) -> int:
    return round(datetime.fromisoformat(clock).replace(tzinfo=NEW_YORK).timestamp() * 1000)


def departures(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Flights: id, scheduled departure by New York's clocks, delay in minutes."""
    return pd.DataFrame(
        [
            {"flight_id": name, "scheduled_ms": ms(at), "departed_ms": ms(at) + delay * 60_000, "dep_delay": delay}
            for name, at, delay in rows
        ]
    )


def predictions(*rows: tuple[str, float | None, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["flight_id", "p_late", "model_version"]).astype({"p_late": float})


def arrivals(**late: bool) -> pd.DataFrame:
    return pd.DataFrame({"flight_id": list(late), "late": list(late.values())}).astype({"late": bool})


@pytest.fixture
def result() -> Outcomes:
    return outcomes(
        departures(
            ("a", "2013-04-01 08:10", 0),
            ("b", "2013-04-01 08:50", 30),
            ("c", "2013-04-07 23:40", 30),  # leaves on Monday the 8th
            ("d", "2013-04-08 09:00", -6),
            ("refused", "2013-04-08 09:30", 0),
            ("missing", "2013-04-08 09:45", 12),
            ("diverted", "2013-04-08 23:00", 10),
        ),
        predictions(
            ("a", 0.2, "1"),
            ("b", 0.72, "1"),
            ("c", 0.6, "2"),
            ("c", 0.9, "2"),
            ("d", 0.65, "2"),
            ("refused", None, "2"),
            ("diverted", 1.0, "2"),
            ("nobody", 0.5, "2"),
        ),
        arrivals(a=False, b=True, c=True, d=False, refused=False, missing=True, other=True),
    )


def test_every_flight_is_counted_once(result: Outcomes) -> None:
    assert (result.flights, result.scored, result.refused, result.missing) == (7, 5, 1, 1)
    assert (result.duplicates, result.strays) == (1, 1)
    assert (result.first, result.last) == ("2013-04-01T12:10:00+00:00", "2013-04-09T03:10:00+00:00")


def test_what_must_not_be_is_reported(result: Outcomes) -> None:
    assert result.complaints == [
        "departures without a prediction: 1",
        "predictions beyond a flight's first: 1",
        "predictions without a departure: 1",
    ]


def test_metrics_are_about_scored_flights_that_arrived(result: Outcomes) -> None:
    assert result.labelled == 4  # a .2 no, b .72 yes, c .6 yes, d .65 no
    assert result.late_share == 0.5
    assert result.auc == pytest.approx(3 / 4)
    assert result.brier == pytest.approx((0.2**2 + 0.28**2 + 0.4**2 + 0.65**2) / 4)


def test_weeks_begin_on_monday_in_new_york_when_the_flight_left(result: Outcomes) -> None:
    assert [(week.monday, sum(week.counts)) for week in result.weeks] == [("2013-04-01", 2), ("2013-04-08", 3)]
    assert [week.mean for week in result.weeks] == pytest.approx([0.46, 0.75])
    assert result.weeks[0].counts == [0] * 4 + [1] + [0] * 9 + [1] + [0] * 5
    assert result.weeks[1].counts[-1] == 1  # p_late of exactly 1 is in the last bin


def test_hours_are_those_of_the_schedule_in_new_york(result: Outcomes) -> None:
    assert [(h.hour, h.flights, h.delay) for h in result.hours] == [(8, 2, 15), (9, 3, 2), (23, 2, 20)]
    assert [h.predicted for h in result.hours] == pytest.approx([0.46, 0.65, 0.6])
    assert [h.observed for h in result.hours] == [0.5, 0, 1]


def test_versions_are_kept_apart(result: Outcomes) -> None:
    assert [(v.version, v.scored, v.auc) for v in result.versions] == [("1", 2, 1.0), ("2", 3, 0.0)]


def test_before_any_arrival_or_prediction_the_rest_is_unknown() -> None:
    flight = departures(("a", "2013-04-01 08:10", 0))
    for predicted in (predictions(("a", 0.5, "1")), predictions(("a", None, "1")), predictions()):
        result = outcomes(flight, predicted, arrivals())
        assert (result.labelled, result.auc, result.log_loss, result.brier) == (0, None, None, None)
        assert (result.late_share, result.calibration) == (None, [])
        assert result.flights == result.scored + result.refused + result.missing == 1
        assert result.hours[0].predicted is None


def test_json_has_no_nan(result: Outcomes) -> None:
    assert json.loads(json.dumps(result.as_json(), allow_nan=False))["flights"] == 7
