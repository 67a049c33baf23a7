"""The ways whose latency is compared: the same records, parallelism 1, and producers that wait for nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers.contestants import MODELS, Start
from bench.peers.java_classes import flink_job, kafka_streams_application
from bench.peers.project_copy import copy_project
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.interpreter import EXECUTION_MODE
from pyflink_jobs.project.settings import Project, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BASELINE", "WAYS", "Scene", "prepare"]

_ROOT = Path(__file__).parents[1]
_COMMIT_MS = 1000
"""Milliseconds between checkpoints and transactions, with exactly once."""

BASELINE = "none"
_LIVE = "-Dpeers.live=true"
"""Lets the Java peers go on until they are killed, with one subtask and one row a call."""


@dataclass(frozen=True)
class Scene:
    """What all ways share: the broker, Millstream's project, and a folder for configurations and logs."""

    folder: Path
    project: Path
    bootstrap: str
    exactly_once: bool

    def configuration(self, name: str, changes: Mapping[str, str]) -> str:
        """Write flink-conf/low-latency.yaml with some options changed; return the file's path."""
        options = read_configuration(Project(_ROOT, Settings()), "flink-conf/low-latency.yaml") | dict(changes)
        if self.exactly_once:
            options["execution.checkpointing.interval"] = f"{_COMMIT_MS} ms"
        file = self.folder / f"{name}.yaml"
        file.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in options.items()))
        return str(file)


def prepare(folder: Path, root: Path, bootstrap: str, *, exactly_once: bool) -> Scene:
    """Copy the project at `root` into a folder, with the sink's guarantee."""
    copy_project(root, folder / "project", "json", exactly_once=exactly_once)
    return Scene(folder, folder / "project", bootstrap, exactly_once)


def _millstream(job: str, changes: Mapping[str, str]) -> Callable[[Scene, str, str], Start]:
    def start(scene: Scene, source: str, sink: str) -> Start:
        main = "from pyflink_jobs.cli import main; main()"
        command = [sys.executable, "-c", main, "--project", str(scene.project), "run", job, "--parallelism", "1"]
        variables = {
            "BENCH_RECORDS": source,
            "BENCH_SCORES": sink,
            # With 0, each record is a request, and two cores have enough of 2,000 a second.
            "BENCH_LINGER_MS": "1",
            "MILLSTREAM_KAFKA": scene.bootstrap,
            "MILLSTREAM_FLINK_CONF": scene.configuration(f"{job}-{changes.get(EXECUTION_MODE, '')}", changes),
        }
        return Start(command, variables)

    return start


def _java(scene: Scene, source: str, sink: str) -> Start:
    command = flink_job("peers.ScoreJob")
    arguments = [scene.bootstrap, source, sink, str(MODELS / "mlp.onnx"), "json"]
    commit = str(_COMMIT_MS if scene.exactly_once else 0)
    return Start([command[0], _LIVE, *command[1:], *arguments, commit], {})


def _kafka_streams(scene: Scene, source: str, sink: str) -> Start:
    command = kafka_streams_application("peers.StreamsApplication")
    arguments = [scene.bootstrap, source, sink, str(MODELS / "mlp.onnx")]
    guarantee = "exactly_once_v2" if scene.exactly_once else "at_least_once"
    return Start([command[0], _LIVE, *command[1:], *arguments, guarantee, str(_COMMIT_MS)], {})


WAYS: dict[str, Callable[[Scene, str, str], Start]] = {
    BASELINE: _millstream("none_kafka", {}),
    "rows": _millstream("mlp_kafka", {EXECUTION_MODE: "thread"}),
    "batches": _millstream("mlp_kafka", {EXECUTION_MODE: "process", "python.fn-execution.bundle.time": "5"}),
    "java": _java,
    "kafka_streams": _kafka_streams,
}
"""How each is started, for a topic of records and one of scores.

"rows" scores each record in the JVM as it comes, "batches" in a worker; "java" is Flink with ONNX Runtime's Java, a row
a call.
"""
