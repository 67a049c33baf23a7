"""Days of real flights, as they are and with bad records in between: the same rows at any parallelism, bounded or not.

Each bad record is in quarantine once with its reason.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.demo.flights import TOPICS
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.local import topics
from tests.bad_departures import BadRecord, bad_departures
from tests.flight_features import flight_features
from tests.flight_runs import ROOT, Days, Place, Way, flights_project, run, send_between

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

ALONE = Way("alone", 1, "local")
MIXED = [Way("four", 4, "throughput"), Way("unbounded", 2, "low-latency", bounded=False)]
LONGEST_KEPT = 500_000  # bytes of a record that quarantine keeps

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Runs:
    """The rows that each way wrote, what it wrote of drift, its quarantine, and where the bad records were sent."""

    rows: dict[str, list[Row]]
    drift: dict[str, list[str]]
    quarantine: dict[str, list[dict[str, Any]]]
    bad: dict[Place, BadRecord]


@pytest.fixture(scope="module", params=[3, pytest.param(7, marks=pytest.mark.slow)])
def days(request: pytest.FixtureRequest) -> Days:
    return Days(request.param)


@pytest.fixture(scope="module")
def runs(days: Days, kafka: str, jvm_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Score the flights alone; then, with bad records among them, in other ways."""
    assert jvm_project, "the JVM is prepared"
    project = flights_project(tmp_path_factory.mktemp("flights"), kafka, [ALONE, *MIXED])
    delete(kafka, [*TOPICS, *(way.name for way in (ALONE, *MIXED)), "drift", "alerts", "quarantine"])
    topics.create(kafka, {name: topic.partitions for name, topic in TOPICS.items()})
    send_flights(days.events, kafka)
    wanted = set(days.flights)
    rows = {ALONE.name: run(project, ALONE, wanted)}
    flights = topics.read(kafka, "departures")
    bad = [
        bad
        for record in flights[:: len(flights) // 2 + 1]
        for bad in bad_departures(json.loads(record.value or b""), round(1000 * time.time()))
    ]
    delete(kafka, ["departures"])
    topics.create(kafka, {"departures": TOPICS["departures"].partitions})
    placed = send_between(kafka, flights, bad)
    rows |= {way.name: run(project, way, wanted) for way in MIXED}
    drift = by_job(kafka, "drift")
    return Runs(
        {name: sorted(tuple(row.values()) for row in found) for name, found in rows.items()},
        {job: sorted(json.dumps(values, sort_keys=True) for values in found) for job, found in drift.items()},
        by_job(kafka, "quarantine"),
        placed,
    )


def by_job(kafka: str, topic: str) -> dict[str, list[dict[str, Any]]]:
    """Return a topic's records without their column `job`, by that column."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in topics.read(kafka, topic):
        values = json.loads(record.value or b"")
        found.setdefault(values.pop("job"), []).append(values)
    return found


def test_bad_records_parallelism_and_unbounded_reading_change_no_row(runs: Runs, days: Days) -> None:
    assert len(runs.rows["alone"]) > 850 * days.number
    assert runs.rows["four"] == runs.rows["alone"]
    assert runs.rows["unbounded"] == runs.rows["alone"]


def test_each_flight_is_scored_once(runs: Runs, days: Days) -> None:
    assert sorted(row[0] for row in runs.rows["alone"]) == days.flights


def test_features_equal_those_computed_one_flight_at_a_time(runs: Runs, days: Days) -> None:
    sample = runs.rows["alone"][::10]
    truth = flight_features(days.events.topics["departures"], days.events.topics["weather"], {row[0] for row in sample})
    found = np.array([row[2:15] for row in sample], dtype=np.float32)
    expected = np.array([list(truth[row[0]].values()) for row in sample], dtype=np.float32)
    np.testing.assert_array_equal(found, expected)


def test_scores_equal_onnx_runtime_called_directly(runs: Runs) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several threads add the trees up in another order
    session = onnxruntime.InferenceSession(ROOT / "models" / "late_arrival" / "1" / "model.onnx", options)
    features = np.array([row[2:15] for row in runs.rows["alone"]], dtype=np.float32)
    (probabilities,) = session.run(["probabilities"], {session.get_inputs()[0].name: features})
    assert [row[15] for row in runs.rows["alone"]] == probabilities[:, 1].astype(float).tolist()


def test_drift_is_the_same_with_bad_records_and_at_any_parallelism(runs: Runs, days: Days) -> None:
    assert len(runs.drift["alone"]) > (days.number + 1) * 3 * 14  # days, airports, columns; and sums of days
    assert runs.drift["four"] == runs.drift["alone"]


@pytest.mark.parametrize("way", ["four", "unbounded"])
def test_each_bad_record_is_in_quarantine_once_with_its_reason(runs: Runs, way: str) -> None:
    assert len(runs.bad) >= 500
    found = Counter((row["partition"], row["offset"]) for row in runs.quarantine[way])
    reasons = {(row["partition"], row["offset"]): row["reason"] for row in runs.quarantine[way]}
    wrong = [
        (bad.kind, bad.reason, reasons.get(place), bad.value[:100] if bad.value else bad.value)
        for place, bad in runs.bad.items()
        if reasons.get(place) != bad.reason
    ]
    assert wrong == []
    assert set(found) == set(runs.bad)
    assert set(found.values()) == {1}


def test_no_flight_is_in_quarantine(runs: Runs) -> None:
    assert "alone" not in runs.quarantine


@pytest.mark.parametrize("way", ["four", "unbounded"])
def test_quarantine_has_a_records_place_and_its_bytes(runs: Runs, way: str) -> None:
    for row in runs.quarantine[way]:
        value = runs.bad[row["partition"], row["offset"]].value
        assert (row["source"], row["topic"]) == ("departures", "departures")
        assert row["detail"]
        assert abs(datetime.fromisoformat(row["ingested_at"]).timestamp() - time.time()) < 3600
        if value is None or len(value) > LONGEST_KEPT:
            assert row["record"] is None
        else:
            assert b64decode(row["record"]) == value
