"""Jobs run to their end on a real broker: counts, scores, and what is said when something is wrong."""

from __future__ import annotations

import json
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.errors import JobError, KafkaError
from pyflink_jobs.local import broker as local_broker
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import Outcome, execute
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

OPTIONS = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
ROWS = [{"id": str(i), "a": i / 7, "b": -i / 3, "c": None if i % 5 == 0 else 1.5} for i in range(1000)]


def make(folder: Path, bootstrap: str, source: str, sink: str) -> Project:
    project = make_project(
        folder,
        {
            "sources/events": f"CREATE TABLE events (id STRING, a FLOAT, b FLOAT, c FLOAT) WITH ({OPTIONS}, "
            f"'topic' = '{source}', 'scan.startup.mode' = 'earliest-offset')",
            "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
            "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
            "sinks/scored": f"CREATE TABLE scored (id STRING, y DOUBLE, v STRING) WITH ({OPTIONS}, 'topic' = '{sink}')",
            "jobs/score": "INSERT INTO scored SELECT id, y, model_version "
            "FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
        },
        settings=f"kafka = '{bootstrap}'",
    )
    add_model(project, "m", "linear")
    return project


def run(project: Project, cluster: MiniCluster, *, bounded: bool = True) -> Outcome:
    environment = table_environment(project, {**cluster.options, "parallelism.default": "2"})
    return execute(project, plan_job(declare(project).job("score"), environment, Run(bounded=bounded)), cluster)


def values(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(bootstrap, topic)]


def test_a_plan_is_kept_for_the_next_run_and_for_no_other_job(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    """A mark in the kept plan shows which runs use it."""
    source, sink = topic("events"), topic("scored")
    topics.create(broker.bootstrap_servers, {source: 1, sink: 1})
    send_records(broker.bootstrap_servers, source, [json.dumps(ROWS[1]).encode()])
    project = make(tmp_path, broker.bootstrap_servers, source, sink)
    job = project.sql / "jobs" / "score.sql"
    job.write_text(job.read_text().replace("id, y, model_version", "id, y, 'made now'"))

    def newest(*, bounded: bool = True) -> str:
        before = len(values(broker.bootstrap_servers, sink))
        run(project, cluster, bounded=bounded)
        [row] = values(broker.bootstrap_servers, sink)[before:]
        assert row["id"] == "1"
        return str(row["v"])

    assert newest() == "made now"
    [plan] = (project.state / "plans").iterdir()
    assert broker.bootstrap_servers not in plan.read_text(), "options may have passwords"
    plan.write_text(plan.read_text().replace("made now", "was kept"))
    assert newest() == "was kept"
    right = job.read_text()
    job.write_text(f"{right} WHERE a > 0")
    assert newest() == "made now"
    job.write_text(right)
    assert newest() == "was kept"
    kept = sorted((project.state / "plans").iterdir())
    assert len(kept) == len(["with WHERE", "without"])
    plan.write_text("half a pl")
    assert newest() == "made now"
    assert "made now" in plan.read_text()


def test_every_row_is_scored_once_or_refused_and_in_quarantine_once(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    source, sink, quarantine = topic("events"), topic("scored"), topic("quarantine")
    topics.create(broker.bootstrap_servers, {source: 3})
    send_records(broker.bootstrap_servers, source, (json.dumps(row).encode() for row in ROWS))
    project = make(tmp_path, broker.bootstrap_servers, source, sink)
    columns = (
        "source STRING, reason STRING, detail STRING, `columns` STRING, model STRING, model_version STRING, job STRING"
    )
    (project.sql / "sinks" / "quarantine.sql").write_text(
        f"CREATE TABLE quarantine ({columns}) WITH ({OPTIONS}, 'topic' = '{quarantine}')"
    )
    outcome = run(project, cluster)
    assert (outcome.state, outcome.counts.read["events"], outcome.counts.written["scored"]) == ("FINISHED", 1000, 1000)
    scored = values(broker.bootstrap_servers, sink)
    assert len(scored) == len(ROWS)
    found = {row["id"]: row["y"] for row in scored}
    session = onnxruntime.InferenceSession(model_path("linear"))
    matrix = np.array([[row["a"], row["b"], 1.5] for row in ROWS], dtype=np.float32)
    (expected,) = session.run(None, {"X": matrix})
    assert found == {
        str(row["id"]): None if row["c"] is None else float(y) for row, y in zip(ROWS, expected[:, 0], strict=True)
    }
    refused = values(broker.bootstrap_servers, quarantine)
    assert sorted(json.loads(row["columns"])["id"] for row in refused) == sorted(
        str(row["id"]) for row in ROWS if row["c"] is None
    )
    for row in refused:
        assert "`c`" in row["detail"] or "c " in row["detail"], row["detail"]
        assert row["reason"] == "refused by model"
        assert [row[name] for name in ("source", "model", "model_version", "job")] == ["events", "m", "1", "score"]


def test_a_missing_source_topic_is_named_with_a_near_one(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    there = topic("events")
    topics.create(broker.bootstrap_servers, {there: 1})
    with pytest.raises(KafkaError, match="which table `events` reads, is not there") as caught:
        run(make(tmp_path, broker.bootstrap_servers, there + "x", topic("scored")), cluster)
    assert there in " ".join(caught.value.findings[0].fixes)


def test_the_error_of_a_failed_job_has_its_cause_and_no_stack_trace(
    tmp_path: Path, broker: Broker, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    source = topic("events")
    topics.create(broker.bootstrap_servers, {source: 1})
    send_records(broker.bootstrap_servers, source, [b"{not json"])
    with pytest.raises(JobError, match="job `score` failed") as caught:
        run(make(tmp_path, broker.bootstrap_servers, source, topic("scored")), cluster)
    assert "Failed to deserialize JSON '{not json'" in str(caught.value)
    assert "\tat " not in str(caught.value)
    assert "\tat org.apache.flink" in caught.value.detail


@pytest.mark.slow
def test_a_broker_that_goes_during_a_run_is_noticed(
    tmp_path: Path, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    own = local_broker.start(tmp_path / "state", port=0)
    source, sink = topic("events"), topic("scored")
    topics.create(own.bootstrap_servers, {source: 1, sink: 1})
    send_records(own.bootstrap_servers, source, (json.dumps(row).encode() for row in ROWS))

    def wait_and_kill() -> None:
        wait_until(lambda: values(own.bootstrap_servers, sink))
        local_broker.stop(tmp_path / "state", purge=True)

    Thread(target=wait_and_kill, daemon=True).start()
    with pytest.raises(KafkaError, match="has gone while the job ran"):
        run(make(tmp_path / "project", own.bootstrap_servers, source, sink), cluster, bounded=False)
