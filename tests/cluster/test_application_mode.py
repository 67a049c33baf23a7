"""A cluster that is started for one job and runs the planning itself, as on Kubernetes: Flink's application mode."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import flink_home
from pyflink_jobs.local.java import find_java
from pyflink_jobs.local.kafka_server import free_port
from pyflink_jobs.local.processes import end
from pyflink_jobs.rest import Rest
from tests.cluster.deployment import Deployment, make_deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"


@pytest.fixture
def url() -> str:
    return f"http://{HOST}:{free_port(0)}"


@pytest.fixture
def deployment(kafka: str, url: str, tmp_path: Path, topic: Callable[[str], str]) -> Deployment:
    return make_deployment(kafka, url, tmp_path, topic)


@pytest.fixture
def application(deployment: Deployment, url: str, worker_python: Path, tmp_path: Path) -> Iterator[None]:
    """Start a JobManager with the program's name and words, and a TaskManager; what they start ends with them."""
    home = tmp_path / "application"
    options = {
        "rest.address": HOST,
        "rest.port": url.rpartition(":")[2],
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": str(free_port(0)),
        "jobmanager.memory.process.size": "1200m",
        "taskmanager.memory.process.size": "1600m",
        "taskmanager.numberOfTaskSlots": "1",
        "io.tmp.dirs": str(home / "tmp"),
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.dir": (home / "checkpoints").as_uri(),
        "python.executable": str(worker_python),
        "python.client.executable": sys.executable,
    }
    flink_home.prepare(home, options)
    job = ["--job-classname", "org.apache.flink.client.python.PythonDriver", "-pym", "pyflink_jobs.job"]
    job += ["--project", str(deployment.project.root), "--job", "score"]
    started = [
        subprocess.Popen(
            ["/bin/bash", str(flink_home.scripts() / words[0]), "start-foreground", *words[1:]],
            env={**os.environ, **flink_home.variables(home), "JAVA_HOME": str(find_java().home)},
            cwd=home,
            stdout=(home / "log" / f"{words[0]}.out").open("wb"),
            stderr=subprocess.STDOUT,
        )
        for words in (["standalone-job.sh", *job], ["taskmanager.sh"])
    ]
    yield
    for process in started:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for one in [*children, psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):
                end(one)
        process.wait()


@pytest.mark.usefixtures("application")
def test_a_cluster_that_plans_its_job_itself(deployment: Deployment, url: str) -> None:
    deployment.send()
    deployment.check()
    (job,) = Rest(url, patience=60).get("/jobs/overview")["jobs"]
    assert (job["name"], job["state"]) == ("score", "RUNNING")
