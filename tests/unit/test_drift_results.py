"""What counts among the records of the topics: the newest of each window, one series, alarms that are still open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.drift.results import newest, read_results, results
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics
from tests.drift_records import alert, drift, record, records
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.local.topics import Record

JULY_1 = datetime(2013, 7, 1, tzinfo=UTC)


def test_a_window_that_late_rows_corrected_is_shown_as_corrected() -> None:
    found = results(records(drift(n=300), drift(n=310, late=10)), [])
    [(key, only)] = found.singles.items()
    assert key == (JULY_1, "dep_delay", "JFK")
    assert (only.n, only.late) == (310, 10)


def test_within_a_partition_the_offset_counts_and_not_the_clock() -> None:
    set_back = [record(drift(n=1), 5, timestamp=9_000), record(drift(n=2), 6, timestamp=8_000)]
    assert [d.n for d in results(set_back, []).singles.values()] == [2]


@given(data=st.data(), writes=st.lists(st.integers(0, 5), min_size=1, max_size=40), partitions=st.integers(1, 4))
def test_the_newest_record_wins_in_whatever_order_partitions_are_read(
    data: st.DataObject, writes: list[int], partitions: int
) -> None:
    """Each write is to a key, whose partition it decides; time passes unevenly, and may not pass at all."""
    offsets = dict.fromkeys(range(partitions), 0)
    written: list[tuple[Record, tuple[int, int]]] = []
    for order, key in enumerate(writes):
        part = key % partitions
        written.append((record({}, offsets[part], part, timestamp=order // 3), (key, order)))
        offsets[part] += data.draw(st.integers(1, 3))  # marks of transactions take offsets as well
    last = {key: order for order, key in enumerate(writes)}
    shuffled = data.draw(st.permutations(written))
    assert dict(newest(shuffled, lambda _, value: value[0])) == last


def test_once_a_topic_has_more_partitions_time_decides_between_the_old_and_the_new_one() -> None:
    old, new = record(drift(n=1), 900, 0, timestamp=1_000), record(drift(n=2), 0, 7, timestamp=2_000)
    assert [d.n for d in results([new, old], []).singles.values()] == [2]


def test_windows_and_sums_of_them_differ_by_their_length() -> None:
    found = results(records(drift(1), drift(2), drift(1, days=2), drift(1, days=2, slice="LGA")), [])
    assert found.length == timedelta(days=1)
    assert found.windows == [JULY_1, JULY_1 + timedelta(days=1)]
    assert [(s.window_start, s.length.days, s.slice) for s in found.sums] == [(JULY_1, 2, "JFK"), (JULY_1, 2, "LGA")]
    assert found.slices == ["JFK"]


def test_rows_that_came_too_late_are_added_up_and_are_no_window() -> None:
    late = [drift(1, feature="(late)", verdict="late", margin=None, d_lo=None, n=n) for n in (3, 4)]
    found = results(records(drift(2), *late), [])
    assert found.lost == 7
    assert found.features == ["dep_delay"]
    assert found.windows == [JULY_1 + timedelta(days=1)]


def test_the_newest_version_is_shown_and_the_other_named() -> None:
    read = records(drift(1, version="2"), drift(1, version="1"), drift(2, version="2"))
    found = results(read, [])
    assert found.series.version == "2"
    assert len(found.windows) == 2
    assert [other.version for other in found.others] == ["1"]
    assert results(read, [], version="1").windows == [JULY_1]


def test_windows_of_an_older_reference_or_another_job_are_not_mixed_in() -> None:
    read = records(drift(1, reference="old"), drift(2, job="backfill"), drift(3))
    found = results(read, [])
    assert [start.day for start in found.windows] == [3]
    assert {(other.job, other.reference) for other in found.others} == {
        ("score", "old"),
        ("backfill", "03636c1f80dc"),
    }
    assert [start.day for start in results(read, [], job="backfill").windows] == [2]


def test_an_alarm_is_open_until_it_closes() -> None:
    alerts = records(
        alert(slice="JFK"),
        alert(slice="LGA"),
        alert(slice="JFK", event="closes"),
        alert(slice="EWR", event="closes"),
        alert(slice="EWR", message="again"),
        alert(slice="EWR", version="0"),
    )
    found = results(records(drift()), alerts)
    assert {alarm.slice for alarm in found.alarms} == {"LGA", "EWR"}
    assert found.places == {"dep_delay": "sql/models/late_arrival.sql:4"}


def test_what_is_not_json_or_no_result_is_counted_and_left_out() -> None:
    broken = topics.Record(0, 1, 1, None, b"\xff{")
    gone = topics.Record(0, 2, 2, None, None)
    found = results([record(drift()), broken, gone, record([], 3), record({"model": "m"}, 4)], [broken])
    assert found.unreadable == 4
    assert len(found.singles) == 1


def test_strength_is_in_margins_by_values_or_by_nulls() -> None:
    near = results(records(drift(d_lo=0.5, margin=0.25)), []).singles
    nulls = results(
        records(drift(d_lo=None, margin=0.2, n=50, nulls=50, reference_n=90, reference_nulls=10)), []
    ).singles
    few = results(records(drift(d_lo=0.5, margin=None, verdict="too few")), []).singles
    assert [next(iter(found.values())).strength for found in (near, few)] == [2.0, None]
    assert next(iter(nulls.values())).strength == pytest.approx((0.5 - 0.1) / 0.2)


@pytest.mark.parametrize(
    ("asked", "message", "way_out"),
    [
        ({"model": "late_arival"}, "no model `late_arival`", "did you mean late_arrival?"),
        ({"model": "late_arrival", "version": "3"}, "no version `3`", ""),
        ({}, "2 models: fares, late_arrival", "--model fares"),
    ],
)
def test_names_that_do_not_fit_are_answered_with_those_there_are(
    asked: dict[str, str], message: str, way_out: str
) -> None:
    with pytest.raises(KafkaError, match=message) as caught:
        results(records(drift(), drift(model="fares")), [], **asked)
    assert way_out in str(caught.value)


@pytest.mark.parametrize("there", [[], ["drift"]])
def test_without_records_the_way_out_is_a_monitor(
    there: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "names", lambda _: there)
    monkeypatch.setattr(topics, "read", lambda *_: [])
    with pytest.raises(KafkaError, match="topic `drift` in Kafka at localhost:1 has no records") as caught:
        read_results(make_project(tmp_path, {}, "kafka = 'localhost:1'"), None, None, None)
    assert "'monitor.time'" in str(caught.value)
    assert "millstream run" in str(caught.value)


def test_a_topic_without_alerts_has_no_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "names", lambda _: ["drift"])
    monkeypatch.setattr(topics, "read", lambda _, topic: records(drift()) if topic == "drift" else pytest.fail(topic))
    assert read_results(make_project(tmp_path, {}), None, None, None).alarms == ()


def test_a_topic_of_late_rows_only_is_reported() -> None:
    with pytest.raises(KafkaError, match="no window that was compared") as caught:
        results(records(drift(feature="(late)")), [])
    assert "1 of them about rows that came too late" in str(caught.value)
