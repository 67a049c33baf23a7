"""The throughput bench runs each of its jobs from end to end; what it writes to Kafka are the model's scores."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.local import broker, topics
from tests.commands.bench_runs import ROOT, run_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = 20_000
JOBS = ("mlp_kafka",)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the bench, and leave its broker until the tests have read what is in it."""
    folder = tmp_path_factory.mktemp("bench")
    run_bench(folder, "throughput", "--records", str(RECORDS), "--rounds", "1", only=JOBS, keep=True)
    yield folder
    broker.stop(folder / "project" / ".millstream", purge=True)


@pytest.mark.slow
def test_each_job_reads_and_writes_every_record(bench: Path) -> None:
    figures = json.loads((bench / "figures.json").read_text())
    assert [run["job"] for run in figures["runs"]] == list(JOBS)
    assert {run["records"] for run in figures["runs"]} == {RECORDS}
    assert all(run["cpu"]["jvm"] > 0 for run in figures["runs"])


@pytest.mark.slow
def test_scores_equal_onnx_runtime_called_directly(bench: Path) -> None:
    running = broker.alive(bench / "project" / ".millstream")
    assert running
    records = by_id(running.bootstrap_servers, f"records-{RECORDS}")
    scores = by_id(running.bootstrap_servers, "scores")
    assert sorted(records) == sorted(scores) == list(range(RECORDS))
    features = np.array([[records[i][f"x{j}"] for j in range(16)] for i in range(RECORDS)], np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    (expected,) = onnxruntime.InferenceSession(ROOT / "bench" / "models" / "mlp.onnx", options).run(
        None, {"x": features}
    )
    found = np.array([scores[i]["y"] for i in range(RECORDS)], np.float32)
    np.testing.assert_array_equal(found, expected[:, 0])


def by_id(bootstrap: str, topic: str) -> dict[int, dict[str, Any]]:
    rows = [json.loads(record.value or b"") for record in topics.read(bootstrap, topic)]
    assert len(rows) == RECORDS
    return {row["id"]: row for row in rows}


@pytest.mark.slow
def test_the_alarms_bench_passes_its_rules_and_fails_those_that_must_not_pass(tmp_path: Path) -> None:
    file = tmp_path / "alarms.json"
    scale = ["--references", "2", "--windows", "200", "--runs", "2", "--bins", "32"]
    run = subprocess.run(
        [sys.executable, "-m", "bench", "alarms", *scale, "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rules = {rule["rule"]: rule["holds"] for rule in json.loads(file.read_text())["independent"]}
    assert rules["margin, d_min 0, alpha 0.001"]
    assert not any(rules[name] for name in ("textbook: p < .05", "always", "never"))


@pytest.mark.slow
def test_the_startup_bench_sees_a_first_prediction(tmp_path: Path) -> None:
    runs = run_bench(tmp_path, "startup", "--repeats", "1", only=("help", "small"))["runs"]
    assert [(one["command"], len(one["seconds"])) for one in runs] == [("help", 1), ("small", 1)]
    assert all(second > 0 for one in runs for second in (one["first"], *one["seconds"]))
