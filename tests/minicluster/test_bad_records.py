"""Bad records among real flights: each in quarantine once with its reason, flights scored as if they were not there."""

from __future__ import annotations

import json
import shutil
import time
from base64 import b64decode
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaProducer

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.demo.flights import TOPICS, events
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.load import Run as Kind
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.bad_departures import BadRecord, bad_departures, written_otherwise

if TYPE_CHECKING:
    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.running.minicluster import MiniCluster

ROOT = Path(__file__).parents[2]
DAYS = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 4, tzinfo=UTC)
EACH = 4  # flights for each bad record
LONGEST_KEPT = 500_000  # bytes of a record that quarantine keeps
Place = tuple[int, int]


class Run:
    """What a run of the demo's job made of its topics."""

    def __init__(self, broker: str) -> None:
        self.departures = topics.read(broker, "departures")
        self.predictions = rows(broker, "predictions")
        self.quarantine = rows(broker, "quarantine")
        self.drift = rows(broker, "drift")


def rows(broker: str, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(broker, topic)]


def sent_with(broker: str, flights: list[Record], bad: list[BadRecord]) -> dict[Place, BadRecord]:
    """Send flights, written in many ways, to their partitions with bad ones in between; return where those are."""
    left = iter(bad)
    sent = []
    with KafkaProducer(bootstrap_servers=broker, max_request_size=2_000_000) as producer:
        for number, record in enumerate(flights):
            value = written_otherwise(json.loads(record.value or b""), number)
            producer.send("departures", value, record.key, partition=record.partition)
            wrong = next(left, None) if number % EACH == 0 else None
            if wrong:
                sent.append((wrong, producer.send("departures", wrong.value, b"bad", partition=record.partition)))
        producer.flush()
    assert next(left, None) is None
    return {(record.partition, record.offset): wrong for wrong, future in sent if (record := future.get())}


@pytest.fixture(scope="module")
def runs(
    kafka: str, cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, Run, dict[Place, BadRecord]]:
    """Score three days of flights, then again with bad records among them."""
    folder = tmp_path_factory.mktemp("bad")
    for name in ("sql", "models"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("train"))
    (folder / "pyproject.toml").write_text(f"[tool.millstream]\nkafka = '{kafka}'\n")
    project = Project.find(folder)
    written = ["predictions", "quarantine", "drift", "alerts"]
    delete(kafka, [*TOPICS, *written])
    topics.create(kafka, {name: topic.partitions for name, topic in TOPICS.items()})
    send_flights(events(*DAYS), kafka)
    score(project, cluster)
    without = Run(kafka)
    bad = [
        bad
        for record in without.departures[:: len(without.departures) // 2 + 1]
        for bad in bad_departures(json.loads(record.value or b""), round(1000 * time.time()))
    ]
    delete(kafka, ["departures", *written])
    topics.create(kafka, {"departures": TOPICS["departures"].partitions})
    placed = sent_with(kafka, without.departures, bad)
    score(project, cluster)
    return without, Run(kafka), placed


def score(project: Project, cluster: MiniCluster) -> None:
    environment = table_environment(project, {**cluster.options, "parallelism.default": "2"})
    planned = plan_job(declare(project).job("score"), environment, Kind(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"


def test_each_bad_record_is_in_quarantine_once_with_its_reason(
    runs: tuple[Run, Run, dict[Place, BadRecord]],
) -> None:
    _, mixed, placed = runs
    assert len(placed) >= 500
    found = Counter((row["partition"], row["offset"]) for row in mixed.quarantine)
    reasons = {(row["partition"], row["offset"]): row["reason"] for row in mixed.quarantine}
    wrong = [
        (bad.kind, bad.reason, reasons.get(place), bad.value[:100] if bad.value else bad.value)
        for place, bad in placed.items()
        if reasons.get(place) != bad.reason
    ]
    assert wrong == []
    assert set(found) == set(placed)
    assert set(found.values()) == {1}


def test_quarantine_has_a_records_place_and_its_bytes(
    runs: tuple[Run, Run, dict[Place, BadRecord]],
) -> None:
    _, mixed, placed = runs
    for row in mixed.quarantine:
        value = placed[row["partition"], row["offset"]].value
        assert (row["source"], row["topic"], row["job"]) == ("departures", "departures", "score")
        assert row["detail"]
        assert abs(datetime.fromisoformat(row["ingested_at"]).timestamp() - time.time()) < 3600
        if value is None or len(value) > LONGEST_KEPT:
            assert row["record"] is None
        else:
            assert b64decode(row["record"]) == value


def test_every_flight_is_scored_as_without_them(runs: tuple[Run, Run, dict[Place, BadRecord]]) -> None:
    without, mixed, _ = runs
    assert without.quarantine == []
    before, after = (
        {row["flight_id"]: (row["p_late"], row["departed_at"]) for row in run.predictions} for run in (without, mixed)
    )
    assert len(before) == len(without.predictions) == len(mixed.predictions) > 2_400
    assert after == before
    assert sorted(map(json.dumps, mixed.drift)) == sorted(map(json.dumps, without.drift))
