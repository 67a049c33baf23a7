"""A job's life on a standalone cluster, by the commands: submitted, upgraded, stopped, continued, killed.

The workers have another environment than the commands. How often each key has been seen is counted by hand: the counts
go on only if the state does, and each row comes out once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import flink_cluster
from tests.cluster.deployment import WAVE, Deployment, committed, make_deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.flink_cluster import Cluster


@pytest.fixture(scope="module")
def deployment(
    kafka: str, flink: Cluster, tmp_path_factory: pytest.TempPathFactory, topic: Callable[[str], str]
) -> Deployment:
    return make_deployment(kafka, flink.url, tmp_path_factory.mktemp("home"), topic)


def test_a_jobs_life(deployment: Deployment, tmp_path: Path) -> None:
    job = deployment.project.sql / "jobs" / "score.sql"
    features = deployment.project.sql / "features" / "history.sql"
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial", elsewhere=tmp_path)
    deployment.check()
    (running,) = json.loads(deployment.millstream("jobs", "--target", "trial", "--json"))
    assert (running["name"], running["state"]) == ("score", "RUNNING")
    assert "already" in deployment.millstream("submit", "score", "--target", "trial", fails=True)

    # What reads the state may change.
    job.write_text(job.read_text().replace("'first'", "UPPER('second')"))
    outcomes = json.loads(deployment.millstream("upgrade", "score", "--target", "trial", "--plan", "--json"))
    assert {"word": "keeps", "name": "`seen` (sql/features/history.sql)", "why": ""} in outcomes
    assert not [outcome for outcome in outcomes if outcome["word"] == "loses"]
    deployment.millstream("upgrade", "score", "--target", "trial")
    deployment.send()
    deployment.check()
    assert {row["note"] for row in committed(deployment.kafka, deployment.sink) if row["n"] >= WAVE} == {"SECOND"}

    # What the state is may not, unless its loss is accepted; nothing stops meanwhile.
    kept = features.read_text()
    features.write_text(kept.replace("INTERVAL '1' DAY", "INTERVAL '2' DAY"))
    said = deployment.millstream("upgrade", "score", "--target", "trial", fails=True)
    assert "`seen` (sql/features/history.sql): what it computes has changed" in said
    features.write_text(kept)

    said = deployment.millstream("stop", "score", "--target", "trial", "--savepoint")
    savepoint = said.split("--from ")[1].split()[0]
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial", "--from", savepoint)
    deployment.check()

    said = deployment.millstream("logs", "score", "--target", "trial", "--lines", "5")
    assert "score  RUNNING" in said
    assert "JobManager" in said
    assert said.count("TaskManager ") == 2
    shown = json.loads(deployment.millstream("logs", "score", "--target", "trial", "--lines", "5", "--json"))
    assert (shown["job"]["state"], shown["failures"]) == ("RUNNING", [])
    assert [process.split()[0] for process in shown["logs"]] == ["JobManager", "TaskManager", "TaskManager"]
    assert {len(lines) for lines in shown["logs"].values()} == {5}
    stopped = json.loads(deployment.millstream("stop", "score", "--target", "trial", "--json"))
    assert stopped == {"job": "score", "id": shown["job"]["id"], "savepoint": None}
    assert "no job runs" in deployment.millstream("jobs", "--target", "trial")


@pytest.mark.slow
def test_a_killed_task_manager_costs_no_row_and_none_comes_out_twice(
    kafka: str, flink: Cluster, tmp_path: Path, topic: Callable[[str], str]
) -> None:
    """What else can be killed: tests/cluster/test_survive.py."""
    deployment = make_deployment(kafka, flink.url, tmp_path, topic)
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial")
    deployment.check()
    psutil.Process(flink.pids["taskmanager-1"]).kill()
    deployment.send()
    assert flink_cluster.start(flink.logs.parents[1]).started_now == ("taskmanager-1",)
    deployment.check()
    deployment.millstream("stop", "score", "--target", "trial")


def test_a_dry_run_sends_nothing_and_shows_what_would_be_sent(deployment: Deployment) -> None:
    first = json.loads(deployment.millstream("submit", "score", "--target", "trial", "--dry-run", "--json"))
    assert "udfs/flink/scoring.py" in first["packages"]["udfs.zip"]["contents"]
    model = json.loads((deployment.project.models / "m" / "1" / "model.json").read_text())["sha256"]
    assert model in first["models"]["sha256"].values()
    assert first["options"]["execution.checkpointing.interval"] == "1 s"
    assert "no job runs" in deployment.millstream("jobs", "--target", "trial")
