"""One real week, out of order as it is replayed: the same rows at any parallelism, bounded and unbounded."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import kafka
import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.demo.flights import TOPICS, Events, events
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.flight_features import flight_features

if TYPE_CHECKING:
    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

ROOT = Path(__file__).parents[2]
START, END, AND_A_DAY = (datetime(2013, 4, day, tzinfo=UTC) for day in (1, 8, 9))
END_MS = END.timestamp() * 1000
FEATURES = (
    "dep_delay, distance, scheduled_hour, weekday, origin_departures_1h, origin_delay_1h, origin_late_share_1h, "
    "carrier_departures_3h, carrier_delay_3h, temp, wind_speed, precip, visib"
)
SINK = """CREATE TABLE {name} (flight_id STRING, departed_ms BIGINT, {columns}, p_late DOUBLE, model_version STRING)
WITH ('connector' = 'kafka', 'topic' = '{name}', 'properties.bootstrap.servers' = '${{KAFKA_BOOTSTRAP_SERVERS}}',
      'format' = 'json')"""
JOB = """INSERT INTO {name} SELECT flight_id, departed_ms, {features}, p_late, model_version
FROM ML_PREDICT(TABLE flight_features, MODEL late_arrival, DESCRIPTOR({features}))"""
RUNS = {  # parallelism, bounded, the file of flink-conf/
    "p1": (1, True, "local"),
    "p4": (4, True, "throughput"),
    "unbounded": (2, False, "low-latency"),
}

Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def week() -> Events:
    return events(START, AND_A_DAY)


@pytest.fixture(scope="module")
def rows(
    week: Events,
    broker: Broker,
    cluster: MiniCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[Row]]:
    """Run the same query three times over the same topics, and return each run's rows of the week."""
    project = flights_project(tmp_path_factory.mktemp("flights"), broker)
    delete(broker.bootstrap_servers, [*TOPICS, *RUNS, "drift", "alerts", "quarantine"])
    topics.create(broker.bootstrap_servers, {name: topic.partitions for name, topic in TOPICS.items()})
    send_flights(week, broker.bootstrap_servers)
    flights = week.topics["departures"]
    wanted = set(flights[flights["departed_ms"] < END_MS]["flight_id"])
    results = {}
    for name, (parallelism, bounded, conf) in RUNS.items():
        configured = replace(project, settings=replace(project.settings, flink_conf=f"flink-conf/{conf}.yaml"))
        options = {**cluster.options, "parallelism.default": str(parallelism)}
        planned = plan_job(declare(project).job(name), table_environment(configured, options), Run(bounded=bounded))
        enough = Event()
        if not bounded:
            Thread(target=_wait_for, args=(broker.bootstrap_servers, name, len(wanted), enough), daemon=True).start()
        try:
            execute(project, planned, cluster, stop=enough)
        finally:
            enough.set()
        found = [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, name)]
        results[name] = sorted(tuple(row.values()) for row in found if row["flight_id"] in wanted)
    return results


def flights_project(folder: Path, broker: Broker) -> Project:
    """Copy the repository's pipeline, with a sink and a job for each run."""
    for name in ("sql", "models", "flink-conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("jobs", "train"))
    (folder / "pyproject.toml").write_text(f"[tool.millstream]\nkafka = '{broker.bootstrap_servers}'\n")
    (folder / "sql" / "jobs").mkdir()
    columns = ", ".join(f"{name} FLOAT" for name in FEATURES.split(", "))
    for name in RUNS:
        (folder / "sql" / "sinks" / f"{name}.sql").write_text(SINK.format(name=name, columns=columns))
        (folder / "sql" / "jobs" / f"{name}.sql").write_text(JOB.format(name=name, features=FEATURES))
    return Project.find(folder)


def _wait_for(bootstrap: str, topic: str, count: int, enough: Event) -> None:
    """Set `enough` when the topic holds so many flights of the week; end when another has set it."""
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    found: set[str] = set()
    while not consumer.partitions_for_topic(topic):
        consumer.topics()
    consumer.assign([kafka.TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
    while len(found) < count and not enough.is_set():
        for records in consumer.poll(500).values():
            rows = [json.loads(record.value) for record in records]
            found |= {row["flight_id"] for row in rows if row["departed_ms"] < END_MS}
    consumer.close()
    enough.set()


def test_the_rows_are_the_same_at_any_parallelism_and_unbounded(rows: dict[str, list[Row]]) -> None:
    assert len(rows["p1"]) > 6000
    assert rows["p4"] == rows["p1"]
    assert rows["unbounded"] == rows["p1"]


def test_each_flight_of_the_week_is_scored_once(rows: dict[str, list[Row]], week: Events) -> None:
    flights = week.topics["departures"]
    wanted = flights[flights["departed_ms"] < END_MS]["flight_id"]
    assert sorted(row[0] for row in rows["p1"]) == sorted(wanted)


def test_features_equal_those_computed_one_flight_at_a_time(rows: dict[str, list[Row]], week: Events) -> None:
    sample = rows["p1"][::10]
    truth = flight_features(week.topics["departures"], week.topics["weather"], {row[0] for row in sample})
    found = np.array([row[2:15] for row in sample], dtype=np.float32)
    expected = np.array([list(truth[row[0]].values()) for row in sample], dtype=np.float32)
    np.testing.assert_array_equal(found, expected)


def test_scores_equal_onnx_runtime_called_directly(rows: dict[str, list[Row]]) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several threads add the trees up in another order
    session = onnxruntime.InferenceSession(ROOT / "models" / "late_arrival" / "1" / "model.onnx", options)
    features = np.array([row[2:15] for row in rows["p1"]], dtype=np.float32)
    (probabilities,) = session.run(["probabilities"], {session.get_inputs()[0].name: features})
    assert [row[15] for row in rows["p1"]] == probabilities[:, 1].astype(float).tolist()


def test_drift_is_the_same_at_any_parallelism(rows: dict[str, list[Row]], broker: Broker) -> None:
    assert rows
    found: dict[str, list[str]] = {}
    for record in topics.read(broker.bootstrap_servers, "drift"):
        values = json.loads(record.value or b"")
        found.setdefault(values.pop("job"), []).append(json.dumps(values, sort_keys=True))
    assert len(found["p1"]) > 8 * 3 * 14  # days, airports, columns; and sums of days
    assert sorted(found["p4"]) == sorted(found["p1"])
