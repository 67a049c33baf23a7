"""`python.execution-mode: thread` on a cluster whose own Python has nothing of Millstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local import flink_cluster
from tests.cluster.deployment import Deployment, make_deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyflink_jobs.local.flink_cluster import Cluster
    from pyflink_jobs.project.settings import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def small(jvm_project: Project, tmp_path: Path) -> Iterator[Cluster]:
    """Start a JobManager and one TaskManager with one slot, whose Python is that of the system."""
    del jvm_project
    layout = flink_cluster.Layout(taskmanagers=1, slots=1, python="/usr/bin/python3")
    yield flink_cluster.start(tmp_path / ".millstream", layout, port=0)
    flink_cluster.stop(tmp_path / ".millstream", purge=True)


@pytest.fixture
def deployment(kafka: str, small: Cluster, tmp_path: Path, topic: Callable[[str], str]) -> Deployment:
    made = make_deployment(kafka, small.url, tmp_path / "home", topic)
    settings = made.project.root / "pyproject.toml"
    mode = "options = { 'python.execution-mode' = 'thread', "
    settings.write_text(settings.read_text().replace("options = { ", mode))
    return made


def again(deployment: Deployment, *words: str, elsewhere: Path) -> None:
    """Score by a job, stop it, and score more by another one in the same process."""
    for number in range(2):
        deployment.send()
        if number:
            deployment.sink += "-again"
            sink = deployment.project.sql / "sinks" / "scored.sql"
            sink.write_text(sink.read_text().replace(deployment.sink.removesuffix("-again"), deployment.sink))
        deployment.millstream("submit", "score", "--target", "trial", *words, elsewhere=elsewhere)
        deployment.check()
        deployment.millstream("stop", "score", "--target", "trial")


def test_packages_of_the_interpreter_that_the_target_names(
    deployment: Deployment, worker_python: Path, tmp_path: Path
) -> None:
    settings = deployment.project.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace("options = {", f"python = '{worker_python}'\noptions = {{"))
    again(deployment, elsewhere=tmp_path)


def test_an_environment_that_comes_with_the_job(deployment: Deployment, tmp_path: Path) -> None:
    deployment.send()
    deployment.millstream("submit", "score", "--target", "trial", "--ship-env", elsewhere=tmp_path)
    deployment.check()
