"""Days of real flights, out of order as they are sent: the same rows at any parallelism, bounded and unbounded."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
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
from pyflink_jobs.running.minicluster import minicluster
from tests.flight_features import flight_features

if TYPE_CHECKING:
    from pyflink_jobs.local.broker import Broker


ROOT = Path(__file__).parents[2]
START = datetime(2013, 4, 1, tzinfo=UTC)
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


@dataclass(frozen=True)
class Days:
    """Some days of flights that are compared, and the events of one more day, which bring out their last rows."""

    number: int

    @property
    def end_ms(self) -> float:
        """The end of the days."""
        return (START + timedelta(days=self.number)).timestamp() * 1000

    @cached_property
    def events(self) -> Events:
        """All events, also those of the day after."""
        return events(START, START + timedelta(days=self.number + 1))

    @property
    def flights(self) -> list[str]:
        """The flights that departed within the days."""
        departures = self.events.topics["departures"]
        return sorted(departures[departures["departed_ms"] < self.end_ms]["flight_id"])


@pytest.fixture(scope="module", params=[3, pytest.param(7, marks=pytest.mark.slow)])
def days(request: pytest.FixtureRequest) -> Days:
    return Days(request.param)


@pytest.fixture(scope="module")
def rows(
    days: Days,
    broker: Broker,
    jvm_project: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[Row]]:
    """Run the same query three times over the same topics, and return each run's rows of the days."""
    assert jvm_project, "the JVM is prepared"
    project = flights_project(tmp_path_factory.mktemp("flights"), broker)
    delete(broker.bootstrap_servers, [*TOPICS, *RUNS, "drift", "alerts", "quarantine"])
    topics.create(broker.bootstrap_servers, {name: topic.partitions for name, topic in TOPICS.items()})
    send_flights(days.events, broker.bootstrap_servers)
    wanted = set(days.flights)
    results = {}
    for name, (parallelism, bounded, conf) in RUNS.items():
        configured = replace(project, settings=replace(project.settings, flink_conf=f"flink-conf/{conf}.yaml"))
        # A cluster of its own: a monitored job that is cancelled can end its TaskManager (docs/survival.md).
        with minicluster(project, 4) as cluster:
            options = {**cluster.options, "parallelism.default": str(parallelism)}
            planned = plan_job(declare(project).job(name), table_environment(configured, options), Run(bounded=bounded))
            enough = Event()
            if not bounded:
                Thread(target=_wait_for, args=(broker.bootstrap_servers, name, wanted, enough), daemon=True).start()
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


def _wait_for(bootstrap: str, topic: str, wanted: set[str], enough: Event) -> None:
    """Set `enough` when the topic has all wanted flights; end when another has set it."""
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    found: set[str] = set()
    while not consumer.partitions_for_topic(topic):
        consumer.topics()
    consumer.assign([kafka.TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
    while not wanted <= found and not enough.is_set():
        for records in consumer.poll(500).values():
            found |= {json.loads(record.value)["flight_id"] for record in records}
    consumer.close()
    enough.set()


def test_the_rows_are_the_same_at_any_parallelism_and_unbounded(rows: dict[str, list[Row]], days: Days) -> None:
    assert len(rows["p1"]) > 850 * days.number
    assert rows["p4"] == rows["p1"]
    assert rows["unbounded"] == rows["p1"]


def test_each_flight_is_scored_once(rows: dict[str, list[Row]], days: Days) -> None:
    assert sorted(row[0] for row in rows["p1"]) == days.flights


def test_features_equal_those_computed_one_flight_at_a_time(rows: dict[str, list[Row]], days: Days) -> None:
    sample = rows["p1"][::10]
    truth = flight_features(days.events.topics["departures"], days.events.topics["weather"], {row[0] for row in sample})
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


def test_drift_is_the_same_at_any_parallelism(rows: dict[str, list[Row]], days: Days, broker: Broker) -> None:
    assert rows
    found: dict[str, list[str]] = {}
    for record in topics.read(broker.bootstrap_servers, "drift"):
        values = json.loads(record.value or b"")
        found.setdefault(values.pop("job"), []).append(json.dumps(values, sort_keys=True))
    assert len(found["p1"]) > (days.number + 1) * 3 * 14  # days, airports, columns; and sums of days
    assert sorted(found["p4"]) == sorted(found["p1"])
