"""What many tests share: a Flink MiniCluster and a Kafka broker in each process, and unique topic names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from pyflink_jobs.local.broker import Broker, start, stop
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.fast_start.jvm import start_quickly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyflink_jobs.running.minicluster import MiniCluster

# Timings are the benches' business: on a busy machine any example may be slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

start_quickly()  # for this process's JVM and those of the commands that tests start


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Keeps a file's tests in one process, and those that share a MiniCluster in two: each of them starts one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return f"minicluster {crc32(file.encode()) % 2}" if file.startswith("tests/minicluster/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Scheduling:
    """Say which tests go to which of the processes that `-n` asks for."""
    return _Scheduling(config, log)


@pytest.fixture(scope="session")
def topic() -> Callable[[str], str]:
    """Return a function that makes a topic name of its own from a readable beginning."""
    return lambda beginning: f"{beginning}-{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniCluster]:
    """Start a MiniCluster with four slots; it ends with the process, and its logs lie in the run's temporary folder."""
    from pyflink_jobs.running.minicluster import minicluster

    project = Project(tmp_path_factory.mktemp("cluster"), Settings())
    with minicluster(project, slots=4) as running:
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
