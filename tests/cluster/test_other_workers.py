"""Workers that cannot start, workers that come with the job, and a job that `flink run` sends: no row is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import flink_home
from pyflink_jobs.local.java import find_java
from tests.cluster.deployment import Deployment, make_deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.flink_cluster import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployment(
    kafka: str, flink: Cluster, tmp_path_factory: pytest.TempPathFactory, topic: Callable[[str], str]
) -> Deployment:
    return make_deployment(kafka, flink.url, tmp_path_factory.mktemp("home"), topic)


def test_a_job_whose_workers_cannot_start_gives_way_to_the_old_one(deployment: Deployment, tmp_path: Path) -> None:
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial", elsewhere=tmp_path)
    deployment.check()
    settings = deployment.project.root / "pyproject.toml"
    good = settings.read_text()
    settings.write_text(good.replace("options = {", "python = '/nowhere/bin/python'\noptions = {"))
    said = deployment.millstream(
        "upgrade", "score", "--target", "trial", "--within", "60", fails=True, elsewhere=tmp_path
    )
    assert "was not upgraded" in said
    assert "the workers' Python, /nowhere/bin/python, cannot be started: No such file or directory" in said
    assert "the old job runs again" in said
    assert "\tat " not in said  # no stack trace
    settings.write_text(good)
    deployment.send()
    deployment.check()
    deployment.millstream("stop", "score", "--target", "trial")


def test_workers_run_the_python_that_came_with_the_job(deployment: Deployment, flink: Cluster, tmp_path: Path) -> None:
    sink = deployment.project.sql / "sinks" / "scored.sql"
    shipped = f"{deployment.sink}-shipped"
    sink.write_text(sink.read_text().replace(deployment.sink, shipped))
    deployment.sink = shipped
    deployment.millstream("submit", "score", "--target", "trial", "--ship-env", elsewhere=tmp_path)
    deployment.check()
    # The TaskManager has unpacked it among its temporary files.
    home = flink.logs.parent
    workers = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    started = [words[0] for words in workers if words and "pyflink.fn_execution.beam.beam_boot" in words]
    assert [python for python in started if python.startswith(str(home / "tmp"))]
    deployment.millstream("stop", "score", "--target", "trial")


def test_a_dry_run_is_the_same_each_time(deployment: Deployment, tmp_path: Path) -> None:
    words = ["submit", "score", "--target", "trial", "--dry-run", "--json"]
    first, second = (deployment.millstream(*words, elsewhere=tmp_path) for _ in range(2))
    assert first == second


def test_flink_run_without_the_tool(
    deployment: Deployment, flink: Cluster, worker_python: Path, tmp_path: Path
) -> None:
    deployment.send()
    copy = tmp_path / "project"
    shutil.copytree(deployment.project.root, copy, ignore=shutil.ignore_patterns(".millstream"))
    sink = copy / "sql" / "sinks" / "scored.sql"
    by_flink_run = f"{deployment.sink}-by-flink-run"
    sink.write_text(sink.read_text().replace(deployment.sink, by_flink_run))
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
    assert len(deployment.wait(by_flink_run)) == deployment.due
    deployment.millstream("stop", "score", "--target", "trial")
