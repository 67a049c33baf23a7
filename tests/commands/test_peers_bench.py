"""The comparison with peers runs from end to end; what it reads from the broker is what is in the topics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from confluent_kafka import Producer

from bench.peers.append_times import appended_before, create_topic
from bench.peers.contestants import CONTESTANTS, Task
from bench.peers.scores import check_scores
from bench.records import fill
from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics
from tests.commands.bench_runs import run_bench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECORDS = 20_000
NAMES = ("mlp", "java_mlp")  # ours, and one of those that need no environment of their own


@pytest.mark.slow
def test_the_comparison_checks_and_runs_each_contestant(tmp_path: Path) -> None:
    figures = run_bench(tmp_path, "peers", "--records", str(RECORDS), "--rounds", "1", only=NAMES)
    assert list(figures["medians"]) == list(NAMES)
    assert figures["skipped"] == {}
    assert all(row["seconds"] > 0 for row in figures["medians"].values())


def test_the_broker_counts_what_was_appended_before_a_moment(kafka: str, topic: Callable[[str], str]) -> None:
    name = topic("appended")
    create_topic(kafka, name, 3)
    producer = Producer({"bootstrap.servers": kafka})
    for batch in range(20):
        for number in range(10 + batch):
            producer.produce(name, b"x", partition=number % 2, timestamp=1)  # nothing in the third one
        producer.flush()
    times = sorted(record.timestamp for record in topics.read(kafka, name))
    assert times[0] > 1  # not the producer's
    with appended_before(kafka, name) as appended:
        for moment in (times[0] - 1000, *sorted(set(times)), times[-1] + 1, times[-1] + 1000):
            assert appended(moment) == sum(time < moment for time in times)


@pytest.fixture(scope="module")
def records(kafka: str) -> str:
    return fill(kafka, 100)


def summed(row: dict[str, float]) -> float:
    """Add the features as a job without a model does: from left to right, in single precision."""
    total = np.float32(row["x0"])
    for i in range(1, 16):
        total += np.float32(row[f"x{i}"])
    return float(total)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda scores: scores, None),
        (lambda scores: scores[1:], "did not score each record exactly once"),
        (lambda scores: [*scores, scores[7]], "did not score each record exactly once"),
        (
            lambda scores: [{**scores[0], "y": scores[0]["y"] + 1e-3}, *scores[1:]],
            "gave 1 of 100 records another score",
        ),
        (lambda scores: [{**scores[0], "sent_us": 1}, *scores[1:]], "another time of sending"),
    ],
)
def test_wrong_scores_are_found(
    kafka: str,
    records: str,
    topic: Callable[[str], str],
    tmp_path: Path,
    spoil: Callable[[list[dict[str, float]]], list[dict[str, float]]],
    message: str | None,
) -> None:
    task = Task(kafka, records, topic("scores"), "json", exactly_once=False, project=tmp_path)
    create_topic(kafka, task.sink, 2)
    read = [json.loads(record.value or b"") for record in topics.read(kafka, records)]
    scores = [{"id": row["id"], "sent_us": row["sent_us"], "y": summed(row)} for row in read]
    producer = Producer({"bootstrap.servers": kafka})
    for score in spoil(scores):
        producer.produce(task.sink, json.dumps(score))
    producer.flush()
    if message is None:
        check_scores(CONTESTANTS["none"], task)
    else:
        with pytest.raises(JobError, match=message):
            check_scores(CONTESTANTS["none"], task)
