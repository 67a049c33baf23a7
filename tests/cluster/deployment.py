"""A project that counts and scores, the commands that submit it, and what must come of it."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from kafka import KafkaConsumer, TopicPartition

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.project.cards import write_card
from tests.command_line import millstream, process_call
from tests.projects import make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["WAVE", "Deployment", "committed", "make_deployment"]

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
ONCE = "'sink.delivery-guarantee' = 'exactly-once', 'properties.transaction.timeout.ms' = '600000'"
SQL = {
    "sources/events": "CREATE TABLE events (k STRING, a FLOAT, b FLOAT, n INT, t_ms BIGINT,"
    " t AS TO_TIMESTAMP_LTZ(t_ms, 3), WATERMARK FOR t AS t)"
    f" WITH ({KAFKA}, 'topic' = '@events', 'scan.startup.mode' = 'earliest-offset')",
    "features/history": "CREATE VIEW history AS SELECT n, a, b, k, CAST(COUNT(*) OVER ("
    "PARTITION BY k ORDER BY t RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS INT) AS seen FROM events",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, seen FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/scored": "CREATE TABLE scored (n INT, seen INT, y DOUBLE, note STRING)"
    f" WITH ({KAFKA}, 'topic' = '@scored', {ONCE}, 'sink.transactional-id-prefix' = '@scored')",
    "jobs/score": "INSERT INTO scored SELECT n, seen, y, 'first'"
    " FROM ML_PREDICT(TABLE history, MODEL m, DESCRIPTOR(a, b, seen))",
}
WAVE = 40  # rows sent at a time
WITHIN = 180.0  # seconds


MODEL = model_path("external/several")  # the weights are in two other files, in a folder
SAMPLE = {"row": 1, "inputs": {"a": 1, "b": 1, "seen": 1}, "outputs": {"y": 6.5}}  # by hand: see make_external.py


class Deployment:
    """A project, the cluster it is submitted to, and what has been sent to its source."""

    def __init__(self, project: Project, kafka: str, source: str, sink: str) -> None:
        self.project, self.kafka, self.source, self.sink = project, kafka, source, sink
        self.sent: list[dict[str, Any]] = []

    def millstream(self, *words: str, fails: bool = False, elsewhere: Path | None = None) -> str:
        """Run a command, in a process of its own in the folder `elsewhere` if that is given; return what it prints."""
        root = self.project.root
        ran = process_call(root, *words, cwd=elsewhere) if elsewhere else millstream(root, *words)
        assert (ran.code != 0) == fails, ran.out + ran.err
        return ran.out + ran.err

    def send(self) -> None:
        """Send a wave of rows, and one behind them whose time brings them out."""
        first = len(self.sent)
        rows = [
            {"k": f"k{n % 3}", "a": n / 7, "b": -n / 3, "n": n, "t_ms": 1_600_000_000_000 + n * 1000}
            for n in range(first, first + WAVE)
        ]
        rows[-1]["k"] = "clock"
        self.sent += rows
        send_records(self.kafka, self.source, (json.dumps(row).encode() for row in rows))

    def wait(self, topic: str = "") -> list[dict[str, Any]]:
        """Wait until all rows sent are scored and committed, but for those that bring out others; return them."""
        deadline = time.monotonic() + WITHIN
        while (
            len(found := [row for row in committed(self.kafka, topic or self.sink) if not clock(row["n"])]) < self.due
        ):
            if time.monotonic() > deadline:
                said = self.millstream("logs", "score", "--target", "trial")
                raise AssertionError(f"{len(found)} of {self.due} rows\n{said}")
            time.sleep(0.5)
        return found

    @property
    def due(self) -> int:
        """How many of the rows sent come out."""
        return sum(not clock(row["n"]) for row in self.sent)

    def check(self) -> None:
        """Compare what is committed with counts made by hand and with ONNX Runtime."""
        found = self.wait()
        seen: dict[str, int] = {}
        wanted = {}
        for row in self.sent:
            seen[row["k"]] = seen.get(row["k"], 0) + 1
            wanted[row["n"]] = seen[row["k"]]
        assert sorted((row["n"], row["seen"]) for row in found) == sorted(
            (n, count) for n, count in wanted.items() if not clock(n)
        )
        matrix = np.array([[row["a"], row["b"], wanted[row["n"]]] for row in self.sent], np.float32)
        (scores,) = onnxruntime.InferenceSession(MODEL).run(None, {"X": matrix})
        assert {row["n"]: row["y"] for row in found} == {
            n: float(scores[n, 0]) for n in range(len(self.sent)) if not clock(n)
        }


def clock(n: int) -> bool:
    """Return whether a row is one that brings out those before it."""
    return n % WAVE == WAVE - 1


def committed(kafka: str, topic: str) -> list[dict[str, Any]]:
    """Return the records of a topic whose transactions are committed."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed", consumer_timeout_ms=1000)
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:  # its job has not begun
            return []
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        return [json.loads(record.value) for record in consumer]
    finally:
        consumer.close()


def make_deployment(kafka: str, url: str, folder: Path, topic: Callable[[str], str]) -> Deployment:
    """Write a project whose target `trial` is the cluster at `url`, and create its source's topic."""
    settings = (
        f"kafka = '{kafka}'\n[tool.millstream.targets.trial]\nkind = 'session'\nurl = '{url}'\n"
        f"models = '{(folder / 'store').as_uri()}'\noptions = {{ 'execution.checkpointing.interval' = '1 s' }}\n"
    )
    source, sink = topic("events"), topic("scored")
    sql = {file: text.replace("@events", source).replace("@scored", sink) for file, text in SQL.items()}
    project = make_project(folder / "project", sql, settings)
    _add_model(project)
    topics.create(kafka, {source: 1})
    return Deployment(project, kafka, source, sink)


def _add_model(project: Project) -> None:
    """Add a model of several files, with a row that its trainer has scored."""
    version = project.models / "m" / "1"
    shutil.copytree(MODEL.parent / "weights", version / "weights")
    shutil.copy(MODEL, version / "model.onnx")
    write_card(version / "model.onnx", "m", "1", ("a", "b", "seen"), json.dumps(SAMPLE) + "\n")
