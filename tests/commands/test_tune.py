"""`millstream tune` and `size` on a small topic: what they write, and that the job's topics stay as they were."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.load import Run
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.running.job import run_job
from tests.command_line import millstream, process_call
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.project.settings import Project

ROWS = [{"id": str(i), "a": i / 7, "b": -i / 3, "c": None if i % 5 == 0 else 1.5} for i in range(3000)]
SAMPLE = 2000
CANDIDATES = ["1", "2"] if (os.cpu_count() or 1) > 1 else ["1"]  # the topic has two partitions


@pytest.fixture(scope="module")
def own(topic: Callable[[str], str]) -> dict[str, str]:
    """Return the names of the job's topics."""
    return {name: topic(name) for name in ("events", "quarantine", "scored")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, kafka: str, own: dict[str, str], jvm_project: Project) -> Project:
    """Make a project that scores events into a topic, and some of them into a file; its topics have records."""
    del jvm_project  # it starts the JVM
    folder = tmp_path_factory.mktemp("project")
    options = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{kafka}', 'format' = 'json'"
    made = make_project(
        folder,
        {
            "sources/events": "CREATE TABLE events (id STRING COMMENT 'required', a FLOAT, b FLOAT, c FLOAT) WITH ("
            f"{options}, 'topic' = '{own['events']}', 'scan.startup.mode' = 'earliest-offset')",
            "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
            "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
            "sinks/scored": f"CREATE TABLE scored (id STRING, y DOUBLE) WITH ({options}, 'topic' = '{own['scored']}')",
            "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING) "
            f"WITH ({options}, 'topic' = '{own['quarantine']}')",
            "sinks/kept": "CREATE TABLE kept (id STRING, y DOUBLE) "
            f"WITH ('connector' = 'filesystem', 'path' = '{folder / 'kept'}', 'format' = 'json')",
            "jobs/score": "INSERT INTO scored SELECT id, y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c));"
            "INSERT INTO kept SELECT id, y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
        },
        settings=f"kafka = '{kafka}'",
    )
    add_model(made, "m", "linear")
    (made.root / "flink-conf").mkdir()
    (made.root / "flink-conf" / "local.yaml").write_text("restart-strategy.type: none\n")
    topics.create(kafka, {own["events"]: 2, own["scored"]: 1, own["quarantine"]: 1})
    send_records(kafka, own["events"], (json.dumps(row).encode() for row in ROWS))
    send_records(kafka, own["scored"], [b'{"id": "mine", "y": 1}'])
    return made


@pytest.fixture(scope="module")
def sizes(kafka: str, own: dict[str, str]) -> Callable[[], dict[str, int]]:
    """Return a function that counts the records of the job's topics, and of those that tuning made and left."""

    def count() -> dict[str, int]:
        found = {topic.name: topic.records for topic in topics.list_topics(kafka)}
        mine = {name: found.pop(topic) for name, topic in own.items()}
        return mine | {name: records for name, records in found.items() if name not in before}

    before = {topic.name for topic in topics.list_topics(kafka)}
    return count


@pytest.fixture(scope="module")
def tuned(project: Project, sizes: Callable[[], dict[str, int]]) -> dict[str, Any]:
    """Tune for throughput, one option and no model, and return what was measured."""
    assert sizes() == {"events": len(ROWS), "quarantine": 0, "scored": 1}
    only = ("--only", "parallelism.default")
    done = millstream(project.root, "tune", "score", "--throughput", *only, "--sample", str(SAMPLE), "--json")
    assert done.code == 0, done.out + done.err
    measured: dict[str, Any] = json.loads(done.out)
    return measured


@pytest.mark.slow
def test_each_candidate_is_run_twice_over_the_sample(tuned: dict[str, Any]) -> None:
    [step] = tuned["steps"]
    assert step["key"] == "parallelism.default"
    assert {value: len(rates) for value, rates in step["measured"].items()} == dict.fromkeys(CANDIDATES, 2)
    assert {run["records"] for run in tuned["runs"]} == {SAMPLE}
    assert tuned["sample"]["source"] == "events"


@pytest.mark.slow
@pytest.mark.usefixtures("tuned")
def test_nothing_is_written_to_the_jobs_own_topics_and_files(
    project: Project, own: dict[str, str], sizes: Callable[[], dict[str, int]]
) -> None:
    there = sizes()
    assert {name: there[name] for name in own} == {"events": len(ROWS), "quarantine": 0, "scored": 1}
    assert not (project.root / "kept").exists()
    # A topic that is being deleted may still be listed for a moment.
    assert all(name.startswith("millstream-tune-") for name in set(there) - set(own))


@pytest.mark.slow
def test_the_job_runs_with_what_was_written(
    project: Project, kafka: str, own: dict[str, str], tuned: dict[str, Any]
) -> None:
    written = read_configuration(project, tuned["file"])
    assert written["restart-strategy.type"] == "none"
    assert written["parallelism.default"] == tuned["options"]["parallelism.default"]
    # Beside it, what only a model that is faster so would get.
    file = project.root / "flink-conf" / "more.yaml"
    parameter = "pipeline.global-job-parameters.millstream.rows-per-call.m: 32\n"
    file.write_text((project.root / tuned["file"]).read_text() + parameter)
    configured = replace(project, settings=replace(project.settings, flink_conf="flink-conf/more.yaml"))
    assert run_job(configured, declare(configured).job("score"), Run(bounded=True)).state == "FINISHED"
    rows = [json.loads(record.value or b"") for record in topics.read(kafka, own["scored"])]
    found = {row["id"]: row["y"] for row in rows if row["id"] != "mine"}
    session = onnxruntime.InferenceSession(model_path("linear"))
    matrix = np.array([[row["a"], row["b"], 1.5] for row in ROWS], dtype=np.float32)
    (expected,) = session.run(None, {"X": matrix})
    refused = {str(row["id"]) for row in ROWS if row["c"] is None}
    assert found == {
        str(row["id"]): None if row["id"] in refused else float(y) for row, y in zip(ROWS, expected[:, 0], strict=True)
    }


@pytest.mark.slow
def test_size_measures_one_slot_and_writes_nothing_either(
    project: Project, own: dict[str, str], sizes: Callable[[], dict[str, int]]
) -> None:
    before = sizes()
    done = millstream(project.root, "size", "score", "--rate", "100000", "--json")
    assert done.code == 0, done.out + done.err
    assert "run 3 of 3: one slot" in done.err.splitlines(), "no terminal: each run is a line"
    found = json.loads(done.out)
    assert found["cost"]["us"] > 0
    assert found["cost"]["workers"] == 1
    assert 50 < found["cost"]["worker"] < 500, "MiB of a Python worker"
    assert found["slots"] * found["of_slot"] * 0.5 >= 100_000
    assert "too small" in found["rests_on"]
    assert f"newest {len(ROWS):,} records" in found["rests_on"], "the job reads them all in less than a minute"
    after = sizes()
    assert {name: after[name] for name in own} == {name: before[name] for name in own}


def test_an_option_that_is_not_tried_is_named(project: Project) -> None:
    done = millstream(project.root, "tune", "score", "--throughput", "--only", "pipeline.objectreuse")
    assert done.code == 1
    assert "did you mean pipeline.object-reuse?" in done.err


def test_one_aim_must_be_named(project: Project) -> None:
    for aims in ((), ("--throughput", "--p99", "50ms")):
        done = process_call(project.root, "tune", "score", *aims)
        assert done.code == 2
        assert "choose one of --throughput and --p99 DURATION" in done.err
