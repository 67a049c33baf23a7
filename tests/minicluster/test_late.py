"""Late rows: those at or behind the watermark are in quarantine, all others in a window."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaProducer

from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
NOON = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)
DELAY = 10_000  # ms: the watermark of the source below


def make(folder: Path, broker: Broker, names: dict[str, str], options: str = "") -> Project:
    """Make a project that scores sums of windows of a minute."""
    project = make_project(
        folder,
        {
            "sources/events": "CREATE TABLE events (id BIGINT, ms BIGINT, a FLOAT, ts AS TO_TIMESTAMP_LTZ(ms, 3), "
            "WATERMARK FOR ts AS ts - INTERVAL '10' SECOND) "
            f"WITH ({KAFKA}, 'topic' = '{names['events']}', 'scan.startup.mode' = 'earliest-offset', "
            # A watermark behind each row: what is late does not hang on the clock of this machine.
            f"'scan.watermark.emit.strategy' = 'on-event'{options})",
            "features/sums": "CREATE VIEW sums AS SELECT window_start, CAST(COUNT(*) AS FLOAT) AS a, "
            "CAST(SUM(a) AS FLOAT) AS b, CAST(MIN(id) AS FLOAT) AS c "
            "FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end",
            "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
            "sinks/scored": "CREATE TABLE scored (window_start TIMESTAMP(3), n FLOAT, y DOUBLE) "
            f"WITH ({KAFKA}, 'topic' = '{names['scored']}')",
            "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING, `partition` INT, "
            f"`offset` BIGINT, record BYTES) WITH ({KAFKA}, 'topic' = '{names['quarantine']}')",
            "jobs/score": "INSERT INTO scored SELECT window_start, a, y "
            "FROM ML_PREDICT(TABLE sums, MODEL m, DESCRIPTOR(a, b, c))",
        },
        settings=f"kafka = '{broker.bootstrap_servers}'",
    )
    add_model(project, "m", "linear")
    return project


@pytest.fixture
def names(broker: Broker, topic: Callable[[str], str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Create topics; `events` has as many partitions as the test says."""
    made = {name: topic(name) for name in ("events", "scored", "quarantine")}
    topics.create(broker.bootstrap_servers, {made["events"]: request.param, made["scored"]: 1, made["quarantine"]: 1})
    return made


def send(broker: Broker, topic: str, rows: list[tuple[int, int]], partition: int = 0) -> None:
    """Send rows of an id and a time, in milliseconds behind noon."""
    with KafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for number, ms in rows:
            row = {"id": number, "ms": NOON + ms, "a": 1.0}
            producer.send(topic, json.dumps(row).encode(), partition=partition)


def read(broker: Broker, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, topic)]


@pytest.mark.parametrize("names", [1], indirect=True)
def test_rows_at_each_distance_from_the_watermark(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, names: dict[str, str]
) -> None:
    newest = 3_600_000
    watermark = newest - DELAY
    distances = [1, 2, 9_999, DELAY, 0, -1, -2, -59_999, -60_000, -60_001, -3_500_000, -86_400_000]
    rows = [(0, newest), *((number, watermark + d) for number, d in enumerate(distances, start=1))]
    send(broker, names["events"], rows)
    project = make(tmp_path, broker, names)
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(project).job("score"), environment, Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"
    late = read(broker, names["quarantine"])
    assert {row["reason"] for row in late} == {"late"}
    assert sorted(row["offset"] for row in late) == [n for n, d in enumerate(distances, start=1) if d <= 0]
    assert late[0]["detail"] == "ts is 2024-05-01 12:59:50.000, the watermark 2024-05-01 12:59:50.000"
    assert sum(row["n"] for row in read(broker, names["scored"])) == len(rows) - len(late)


@pytest.mark.parametrize("names", [2], indirect=True)
def test_a_row_of_a_partition_that_was_idle_is_late_if_others_have_gone_on(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, names: dict[str, str]
) -> None:
    project = make(tmp_path, broker, names, ", 'scan.watermark.idle-timeout' = '200 ms'")
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(project).job("score"), environment)
    stop = Event()
    sent: list[str] = []

    def follow() -> None:
        try:
            # The other partition is empty. Once a window is out, it is idle, and event time has gone on without it.
            send(broker, names["events"], [(1, 0), (2, 600_000)])
            wait_for(broker, names["scored"], 1)
            send(broker, names["events"], [(3, -1), (4, 600_001), (5, 700_000)], partition=1)
            wait_for(broker, names["quarantine"], 1)
            send(broker, names["events"], [(6, 900_000)])
            send(broker, names["events"], [(7, 900_000)], partition=1)
            wait_for(broker, names["scored"], 3)
            sent.append("all")
        finally:
            stop.set()

    thread = Thread(target=follow)
    thread.start()
    assert execute(project, planned, cluster, stop=stop).state == "CANCELED"
    thread.join()
    assert sent == ["all"]
    (late,) = read(broker, names["quarantine"])
    assert (late["reason"], late["partition"], late["offset"]) == ("late", 1, 0)
    assert [row["n"] for row in read(broker, names["scored"])][:3] == [1, 2, 1]


def wait_for(broker: Broker, topic: str, records: int) -> None:
    """Return when a topic has so many records; fails after two minutes."""
    wait_until(lambda: len(topics.read(broker.bootstrap_servers, topic)) >= records)
