"""The jobs and peers that are compared: how each is started, and what it must compute."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.peers.java_classes import HEAP, flink_job, kafka_streams_application
from pyflink_jobs.local.java import find_java

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMMIT_SECONDS", "CONTESTANTS", "MODELS", "Contestant", "Form", "Start", "Task", "UnavailableError"]

Form = Literal["json", "avro"]
COMMIT_SECONDS = 5
"""The interval of checkpoints, transactions and committed offsets."""
MODELS = Path(__file__).parents[1] / "models"
_HERE = Path(__file__).parent


class UnavailableError(Exception):
    """A contestant cannot run; the text is the reason."""


@dataclass(frozen=True)
class Task:
    """Score the records of one topic into another. `project` is Millstream's project for it."""

    bootstrap: str
    source: str
    sink: str
    form: Form
    exactly_once: bool
    project: Path


@dataclass(frozen=True)
class Start:
    """A process to start: its arguments, and additional environment variables."""

    arguments: list[str]
    variables: dict[str, str]


@dataclass(frozen=True)
class Contestant:
    """`start` returns how to start it, or raises UnavailableError. `exact`: scores equal ONNX Runtime's to the bit."""

    name: str
    model: Literal["none", "mlp", "gbm"]
    start: Callable[[Task], Start]
    exact: bool = False

    @property
    def yardsticks(self) -> dict[str, str]:
        """The contestants that it is compared with, by the name of the column."""
        models = {} if self.model == "none" else {kind: f"{kind}_{self.model}" for kind in ("loop", "java")}
        return {"sql": "flink_sql", **models}


def _millstream(job: str) -> Callable[[Task], Start]:
    """Start a job with the command line."""

    def start(task: Task) -> Start:
        main = "from pyflink_jobs.cli import main; main()"
        return Start(
            [sys.executable, "-c", main, "--project", str(task.project), "run", f"{job}_kafka", "--bounded"],
            {
                "BENCH_RECORDS": task.source,
                "BENCH_SCORES": task.sink,
                "MILLSTREAM_KAFKA": task.bootstrap,
                "MILLSTREAM_FLINK_CONF": "flink.yaml",
            },
        )

    return start


def _flink_sql(task: Task) -> Start:
    commit = str(1000 * COMMIT_SECONDS if task.exactly_once else 0)
    arguments = [task.bootstrap, task.source, task.sink, task.form, commit]
    variables = {"JAVA_HOME": str(find_java().home), "JVM_ARGS": HEAP, "FLINK_LOG_DIR": str(task.project)}
    return Start([sys.executable, "-m", "bench.peers.flink_sql", *arguments], variables)


def _loop(model: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        arguments = [sys.executable, str(_HERE / "loop.py"), *_arguments(task, model), "--format", task.form]
        return Start([*arguments, *(["--exactly-once"] if task.exactly_once else [])], {})

    return start


def _java(model: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        commit = str(1000 * COMMIT_SECONDS if task.exactly_once else 0)
        return Start([*flink_job("peers.ScoreJob"), *_arguments(task, model), task.form, commit], {})

    return start


def _kafka_streams(model: str) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        if task.form != "json":
            raise UnavailableError("it is written for JSON")
        guarantee = "exactly_once_v2" if task.exactly_once else "at_least_once"
        command = kafka_streams_application("peers.StreamsApplication")
        return Start([*command, *_arguments(task, model), guarantee, str(1000 * COMMIT_SECONDS)], {})

    return start


def _arguments(task: Task, model: str) -> list[str]:
    return [task.bootstrap, task.source, task.sink, str(MODELS / f"{model}.onnx")]


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant("flink_sql", "none", _flink_sql),
        Contestant("none", "none", _millstream("none")),
        Contestant("mlp", "mlp", _millstream("mlp"), exact=True),
        Contestant("monitored", "mlp", _millstream("monitored"), exact=True),
        Contestant("gbm", "gbm", _millstream("gbm"), exact=True),
        Contestant("loop_mlp", "mlp", _loop("mlp")),
        Contestant("loop_gbm", "gbm", _loop("gbm")),
        Contestant("java_mlp", "mlp", _java("mlp")),
        Contestant("java_gbm", "gbm", _java("gbm")),
        Contestant("kafka_streams", "mlp", _kafka_streams("mlp")),
    )
}
