"""What many tests share: a Flink MiniCluster and a Kafka broker in each process, and unique topic names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

from pyflink_jobs.local.broker import Broker, start, stop
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.fast_start.jvm_options import start_quickly
from pyflink_jobs.running.fast_start.worker_forks import RUNNER_FOLDER, forked_workers
from pyflink_jobs.running.jvm import prepare_jvm, start_jvm, variable
from pyflink_jobs.running.minicluster import MiniCluster, minicluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Timings are the benches' business: on a busy machine any example may be slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

start_quickly()  # for this process's JVM and those of the commands that tests start


@pytest.fixture(scope="session")
def topic() -> Callable[[str], str]:
    """Return a function that makes a topic name of its own from a readable beginning."""
    return lambda beginning: f"{beginning}-{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def jvm_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Start this process's JVM for an empty project, in whose folder its logs are; return the project.

    As with `millstream run`, its Python workers are forks of one process: each saves two seconds of imports.
    """
    project = Project(tmp_path_factory.mktemp("jvm"), Settings())
    with forked_workers() as folder:
        with variable(RUNNER_FOLDER, str(folder)):  # for this JVM alone, not for clusters that tests start
            prepare_jvm(project)
            start_jvm()
        yield project


@pytest.fixture(scope="session")
def cluster(jvm_project: Project) -> Iterator[MiniCluster]:
    """Start a MiniCluster with four slots; it ends with the process."""
    with minicluster(jvm_project, slots=4) as running:
        yield running


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start a broker on free ports; it is stopped and its data deleted when the process ends.

    Topics get unique names. Those of the demo have fixed ones, so a test deletes them before it begins.
    """
    state = tmp_path_factory.mktemp("broker") / ".millstream"
    yield start(state, port=0)
    stop(state, purge=True)


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """Return the address of the broker."""
    return broker.bootstrap_servers
