"""One Flink MiniCluster for all tests of a run."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import start_quickly
from pyflink_jobs.running.minicluster import MiniCluster, minicluster

if TYPE_CHECKING:
    from collections.abc import Iterator

start_quickly()  # for this process's JVM and those of the commands that tests start


@pytest.fixture(autouse=True)
def _garbage() -> Iterator[None]:
    """Collect garbage on the main thread, where the JVM's objects must be freed; it is off otherwise."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniCluster]:
    """Start a cluster with four slots; it ends with the run, and its logs lie in the run's temporary folder."""
    project = Project(tmp_path_factory.mktemp("cluster"), Settings())
    with minicluster(project, slots=4) as running:
        yield running
