"""One Flink MiniCluster and one Kafka broker for all tests of a run."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local.broker import Broker, start, stop
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.minicluster import MiniCluster, minicluster

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start a broker on free ports; it is stopped and its data deleted when the run ends."""
    state = tmp_path_factory.mktemp("broker") / ".millstream"
    yield start(state, port=0)
    stop(state, purge=True)
