"""Runs of one job over the same days of real flights, some with bad records in between, and what each of them wrote."""

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
from kafka import KafkaProducer

from pyflink_jobs.demo.flights import Events, events
from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.running.minicluster import minicluster
from tests.bad_departures import BadRecord, written_otherwise

if TYPE_CHECKING:
    from pyflink_jobs.local.topics import Record

__all__ = ["FEATURES", "ROOT", "Days", "Place", "Way", "flights_project", "run", "send_between"]

ROOT = Path(__file__).parents[1]
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
EACH = 4  # flights for each bad record
Place = tuple[int, int]


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


@dataclass(frozen=True)
class Way:
    """A way to run the job: its name is the job's and the sink's, `conf` the file of flink-conf/."""

    name: str
    parallelism: int
    conf: str
    bounded: bool = True


def flights_project(folder: Path, bootstrap: str, ways: list[Way]) -> Project:
    """Copy the repository's pipeline, with a sink and a job for each way."""
    for name in ("sql", "models", "flink-conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("jobs", "train"))
    (folder / "pyproject.toml").write_text(f"[tool.millstream]\nkafka = '{bootstrap}'\n")
    (folder / "sql" / "jobs").mkdir()
    columns = ", ".join(f"{name} FLOAT" for name in FEATURES.split(", "))
    for name in (way.name for way in ways):
        (folder / "sql" / "sinks" / f"{name}.sql").write_text(SINK.format(name=name, columns=columns))
        (folder / "sql" / "jobs" / f"{name}.sql").write_text(JOB.format(name=name, features=FEATURES))
    return Project.find(folder)


def run(project: Project, way: Way, wanted: set[str]) -> list[dict[str, Any]]:
    """Run the job until it ends or has written the wanted flights, and return their rows as they are in its topic."""
    bootstrap = project.settings.kafka
    configured = replace(project, settings=replace(project.settings, flink_conf=f"flink-conf/{way.conf}.yaml"))
    # A cluster of its own: a monitored job that is cancelled can end its TaskManager (docs/survival.md).
    with minicluster(project, 4) as cluster:
        options = {**cluster.options, "parallelism.default": str(way.parallelism)}
        environment = table_environment(configured, options)
        planned = plan_job(declare(project).job(way.name), environment, Run(bounded=way.bounded))
        enough = Event()
        if not way.bounded:
            Thread(target=_wait_for, args=(bootstrap, way.name, wanted, enough), daemon=True).start()
        try:
            execute(project, planned, cluster, stop=enough)
        finally:
            enough.set()
    found = (json.loads(record.value or b"") for record in topics.read(bootstrap, way.name))
    return [row for row in found if row["flight_id"] in wanted]


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


def send_between(bootstrap: str, flights: list[Record], bad: list[BadRecord]) -> dict[Place, BadRecord]:
    """Send flights, written in many ways, to their partitions with bad ones in between; return where those are."""
    left = iter(bad)
    sent = []
    with KafkaProducer(bootstrap_servers=bootstrap, max_request_size=2_000_000) as producer:
        for number, record in enumerate(flights):
            value = written_otherwise(json.loads(record.value or b""), number)
            producer.send("departures", value, record.key, partition=record.partition)
            wrong = next(left, None) if number % EACH == 0 else None
            if wrong:
                sent.append((wrong, producer.send("departures", wrong.value, b"bad", partition=record.partition)))
        producer.flush()
    assert next(left, None) is None
    return {(record.partition, record.offset): wrong for wrong, future in sent if (record := future.get())}
