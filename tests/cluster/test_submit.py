"""A job's life on a standalone cluster, by the commands: submitted, upgraded, brought back, stopped, gone on with.

The commands run in another folder than the project's, the workers in another environment than the commands'. How often
each key has been seen is counted by hand: the counts go on only if the state does, and each row comes out once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import flink_home
from pyflink_jobs.local.java import find_java
from tests.cluster.deployment import WAVE, Deployment, committed, make_deployment

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.local.flink_cluster import Cluster


@pytest.fixture(scope="module")
def deployment(kafka: str, flink: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return make_deployment(kafka, flink.url, tmp_path_factory.mktemp("home"))


def test_a_jobs_life(deployment: Deployment, flink: Cluster) -> None:
    job = deployment.project.sql / "jobs" / "score.sql"
    features = deployment.project.sql / "features" / "history.sql"
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial")
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
    assert {row["note"] for row in committed(deployment.kafka, "scored") if row["n"] >= WAVE} == {"SECOND"}

    # What the state is may not, unless its loss is accepted; nothing stops meanwhile.
    kept = features.read_text()
    features.write_text(kept.replace("INTERVAL '1' DAY", "INTERVAL '2' DAY"))
    said = deployment.millstream("upgrade", "score", "--target", "trial", fails=True)
    assert "`seen` (sql/features/history.sql): what it computes has changed" in said
    features.write_text(kept)

    # A job whose workers cannot start: the old one comes back, to the workers that it had.
    settings = deployment.project.root / "pyproject.toml"
    good = settings.read_text()
    settings.write_text(good.replace("options = {", "python = '/nowhere/bin/python'\noptions = {"))
    said = deployment.millstream("upgrade", "score", "--target", "trial", "--within", "60", fails=True)
    assert "was not upgraded" in said
    assert "the old job runs again" in said
    assert "\tat " not in said  # no stack trace
    settings.write_text(good)
    deployment.send()
    deployment.check()

    said = deployment.millstream("stop", "score", "--target", "trial", "--savepoint")
    savepoint = said.split("--from ")[1].split()[0]
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial", "--from", savepoint, "--ship-env")
    deployment.check()
    # Its workers now run the Python that came with the job, unpacked among the TaskManager's temporary files.
    home = flink.logs.parent
    workers = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    started = [words[0] for words in workers if words and "pyflink.fn_execution.beam.beam_boot" in words]
    assert [python for python in started if python.startswith(str(home / "tmp"))]

    said = deployment.millstream("logs", "score", "--target", "trial", "--lines", "5")
    assert "score  RUNNING" in said
    assert "JobManager" in said
    assert said.count("TaskManager ") == 2
    deployment.millstream("stop", "score", "--target", "trial")
    assert "no job runs" in deployment.millstream("jobs", "--target", "trial")


def test_a_dry_run_sends_nothing_and_is_the_same_each_time(deployment: Deployment) -> None:
    first, second = (
        json.loads(deployment.millstream("submit", "score", "--target", "trial", "--dry-run", "--json"))
        for _ in range(2)
    )
    assert first == second
    assert "udfs/flink/scoring.py" in first["packages"]["udfs.zip"]["contents"]
    (model,) = first["models"]["sha256"].values()
    assert model == json.loads((deployment.project.models / "m" / "1" / "model.json").read_text())["sha256"]
    assert first["options"]["execution.checkpointing.interval"] == "1 s"
    assert "no job runs" in deployment.millstream("jobs", "--target", "trial")


def test_flink_run_without_the_tool(
    deployment: Deployment, flink: Cluster, worker_python: Path, tmp_path: Path
) -> None:
    deployment.send()
    copy = tmp_path / "project"
    shutil.copytree(deployment.project.root, copy, ignore=shutil.ignore_patterns(".millstream"))
    sink = copy / "sql" / "sinks" / "scored.sql"
    sink.write_text(sink.read_text().replace("'scored'", "'scored_by_flink_run'"))
    address = flink.url.removeprefix("http://")
    words = ["run", "-d", "-m", address, "-Dexecution.checkpointing.interval=1s", "-pyclientexec", sys.executable]
    words += ["-pyexec", str(worker_python)]
    words += ["-pym", "pyflink_jobs.job", "--project", str(copy), "--job", "score"]
    run = subprocess.run(
        [str(flink_home.scripts() / "flink"), *words],
        cwd=tmp_path,
        env={**os.environ, "JAVA_HOME": str(find_java().home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(deployment.wait("scored_by_flink_run")) == deployment.due
    deployment.millstream("stop", "score", "--target", "trial")
