"""Drift in the report: records of topics against what they say, put in order by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.demo.drift_records import drift
from tests import drift_records as records

if TYPE_CHECKING:
    from pyflink_jobs.demo.drift_results import Drift


def day(number: int) -> datetime:
    """Return a day of April."""
    return datetime(2013, 4, number, tzinfo=UTC)


def result(
    feature: str, label: str, first: int, d: float | None, verdict: str = "stable", days: int = 1
) -> dict[str, object]:
    """Return a record of `drift` about some days of April; its margin is .25."""
    return records.drift(
        window_start=day(first).isoformat(),
        window_end=day(first + days).isoformat(),
        feature=feature,
        slice=label,
        d_lo=d,
        margin=0.25,
        verdict=verdict,
        quantiles=[d or 0.0] * 10,
        reference_quantiles=[0.0] * 9 + [None],
    )


def alert(feature: str, label: str, event: str, since: int, first: int, days: int = 1) -> dict[str, object]:
    return records.alert(
        feature=feature,
        slice=label,
        event=event,
        since=day(since).isoformat(),
        window_start=day(first).isoformat(),
        window_end=day(first + days).isoformat(),
    )


def found(results: list[dict[str, object]], *alerts: dict[str, object]) -> Drift:
    drifted = drift(records.records(*results), records.records(*alerts))
    assert drifted
    return drifted


CALM = [result("temp", "EWR", number, 0.1) for number in range(1, 6)]


def test_a_cell_is_the_worst_slice_and_marked_if_any_slice_drifted() -> None:
    drifted = found(
        [
            result("temp", "EWR", 1, 0.9),
            result("temp", "JFK", 1, 0.3, "drift"),  # less far off, but judged drift
            result("temp", "EWR", 2, 0.2),
            result("temp", "JFK", 2, 0.6),
            result("wind", "EWR", 2, 0.1),
        ]
    )
    assert drifted.starts == [day(1), day(2)]
    assert (drifted.length, drifted.end, drifted.slices) == (timedelta(days=1), day(3), ["EWR", "JFK"])
    temp, wind = drifted.rows
    assert (temp.feature, temp.d, temp.drifted) == ("temp", [0.9, 0.6], [True, False])
    assert (temp.windows, temp.beyond, temp.largest) == (4, 3, 0.9)
    assert temp.mean == pytest.approx((0.9 + 0.3 + 0.2 + 0.6) / 4)
    assert (wind.d, wind.drifted) == ([None, 0.1], [False, False])


def test_features_go_from_the_worst_down_by_windows_beyond_their_margin() -> None:
    once = [result("once", "EWR", 1, 1.0, "drift"), result("once", "EWR", 2, 0.0)]
    always = [result("always", "EWR", number, 0.3) for number in (1, 2)]
    never, rarely = result("never", "EWR", 1, 0.2), result("hardly", "EWR", 1, 0.01)
    assert [row.feature for row in found([rarely, *once, never, *always]).rows] == ["always", "once", "never", "hardly"]


def test_sums_of_windows_are_counted_but_are_no_cells() -> None:
    drifted = found([*CALM, result("temp", "EWR", 2, 0.9, "drift", days=2)])
    assert (drifted.windows, drifted.sums, drifted.drifted) == (5, 1, 1)
    assert drifted.rows[0].d == [0.1] * 5
    assert drifted.rows[0].drifted == [False] * 5


def test_the_newest_record_of_a_window_wins() -> None:
    drifted = found([result("temp", "EWR", 1, 0.9, "drift"), result("temp", "EWR", 1, 0.1)])
    assert (drifted.windows, drifted.drifted, drifted.rows[0].d) == (1, 0, [0.1])
    replaced = found([*CALM, result("temp", "EWR", 1, 0.9, "too few")])  # also by one without a verdict
    assert replaced.starts == [day(2), day(3), day(4), day(5)]


def test_what_is_no_result_is_passed_over() -> None:
    foreign = records.record({"something": "else"}, offset=9)
    drifted = drift([*records.records(*CALM), foreign], [foreign])
    assert drifted == found(CALM)


def test_windows_without_a_verdict_are_left_out() -> None:
    few, late, foreign = (result("temp", "LGA", 3, 0.9, verdict) for verdict in ("too few", "late", "no reference"))
    drifted = found([*CALM, few, late, foreign])
    assert (drifted.windows, drifted.slices) == (5, ["EWR"])
    assert drift(records.records(few), []) is None


def test_windows_of_nulls_have_no_distance_but_may_drift() -> None:
    (row,) = found([result("temp", "EWR", 1, None, "drift")]).rows
    assert (row.d, row.drifted, row.mean, row.beyond) == ([None], [True], 0.0, 0)


@pytest.mark.parametrize("other_than", ["model", "version", "job"])
def test_of_several_series_the_newest_is_shown(other_than: str) -> None:
    other = {**result("temp", "JFK", 1, 0.9), other_than: "other"}
    opened = {**alert("temp", "JFK", "opens", 1, 1), other_than: "other"}
    drifted = found([other, *CALM], opened)
    assert (drifted.slices, drifted.windows, drifted.alarms) == (["EWR"], 5, [])


def test_an_alarm_lasts_from_the_first_drift_to_the_window_that_closed_it_and_an_open_one_has_no_end() -> None:
    drifted = found(
        CALM,
        alert("wind", "EWR", "opens", 3, 4),
        alert("temp", "EWR", "opens", 1, 1),
        alert("temp", "EWR", "closes", 1, 2),
        alert("temp", "EWR", "opens", 4, 4),
    )
    lasted = [(alarm.feature, alarm.since, alarm.until) for alarm in drifted.alarms]
    assert lasted == [("temp", day(1), day(3)), ("wind", day(3), None), ("temp", day(4), None)]
    assert drifted.still_open == 2
    assert drifted.windows_open(drifted.alarms[:1]) == 2  # 1 and 2 April
    assert drifted.windows_open(drifted.alarms[1:2]) == 3  # 3 to 5 April, the last one
    assert drifted.windows_open([drifted.alarms[1], drifted.alarms[2]]) == 3  # a day counts once


def test_alarms_of_a_job_that_ran_twice_are_counted_once() -> None:
    run = [alert("temp", "EWR", "opens", 1, 1, days=2), alert("temp", "EWR", "closes", 1, 3)]
    assert found(CALM, *run, *run).alarms == found(CALM, *run).alarms
    assert len(found(CALM, *run).alarms) == 1


def test_an_alarm_that_closes_without_having_opened_is_none() -> None:
    assert found(CALM, alert("temp", "EWR", "closes", 1, 3)).alarms == []


def test_the_worst_alarm_is_the_one_opened_farthest_beyond_its_margin() -> None:
    drifted = found(
        [*CALM, result("wind", "JFK", 2, 0.5, "drift"), result("temp", "JFK", 1, 0.8, "drift", days=2)],
        alert("wind", "JFK", "opens", 2, 2),
        alert("temp", "JFK", "opens", 1, 1, days=2),
        alert("temp", "LGA", "opens", 1, 1),  # its window is not in the topic
    )
    assert [alarm.opened_by is None for alarm in drifted.alarms] == [False, True, False]
    worst = drifted.worst
    assert worst
    assert (worst.feature, worst.slice, worst.start, worst.end, worst.d) == ("temp", "JFK", day(1), day(3), 0.8)
    assert worst.now == [0.8] * 10
    assert math.isnan(worst.then[-1])
    assert found(CALM).worst is None


def test_pairs_are_the_three_worst_features_those_with_alarms_first() -> None:
    drifted = found(
        [
            result("alarmed", "EWR", 1, 0.3, "drift"),
            result("alarmed", "JFK", 1, 0.9),  # this slice has no alarm
            result("drifted", "EWR", 1, 0.4, "drift"),
            result("drifted", "EWR", 2, 0.5, "drift"),
            result("far", "EWR", 1, 0.99),
            result("near", "EWR", 1, 0.26),
            result("within", "EWR", 1, 0.25),
        ],
        alert("alarmed", "EWR", "opens", 1, 1),
    )

    gaps = [(gap.feature, gap.slice, gap.d) for gap in drifted.gaps]
    assert gaps == [("alarmed", "EWR", 0.3), ("drifted", "EWR", 0.5), ("far", "EWR", 0.99)]


def test_json_has_the_counts() -> None:
    counts = found([*CALM, result("temp", "EWR", 1, 0.9, "drift", days=2)], alert("temp", "EWR", "opens", 1, 1, days=2))
    assert counts.as_json() == {"windows": 5, "sums": 1, "drifted": 1, "alarms": 1, "alarms_open": 1}
