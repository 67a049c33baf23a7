"""A Flink MiniCluster in this process's JVM: JobManager and TaskManager for jobs on one machine.

It outlives the jobs it runs, so a job's counts can still be asked for when it has ended, and a second job starts
in a second. Python workers are processes of their own, as on a real cluster.
"""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.project.options import read_configuration
from pyflink_jobs.running.jvm import early_jvm, prepare_jvm, variable
from pyflink_jobs.running.worker_forks import RUNNER_FOLDER, forked_workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from pyflink_jobs.project.settings import Project

__all__ = ["MiniCluster", "early_minicluster", "minicluster"]

_OPTIONS = {
    "rest.port": "0",
    "rest.bind-port": "0",
    "metrics.fetcher.update-interval": "500",  # milliseconds; what a progress line shows should be of now
    "taskmanager.memory.network.min": "64mb",
    "taskmanager.memory.network.max": "64mb",
    "taskmanager.memory.managed.size": "256mb",
}


@dataclass(frozen=True)
class MiniCluster:
    """A running cluster: where its REST interface is."""

    address: str
    port: int

    @property
    def options(self) -> dict[str, str]:
        """The options that send an environment's jobs here."""
        return {
            "execution.target": "remote",
            "execution.attached": "true",
            "rest.address": self.address,
            "rest.port": str(self.port),
        }

    @property
    def url(self) -> str:
        """The base of the REST interface."""
        return f"http://{self.address}:{self.port}"


@contextmanager
def minicluster(project: Project, slots: int, options: Mapping[str, str] | None = None) -> Iterator[MiniCluster]:
    """Start a cluster with so many slots; it ends with the block, and its jobs with it."""
    prepare_jvm(project)
    from pyflink.java_gateway import get_gateway  # noqa: PLC0415 - slow to import, and needs the JVM's settings first

    jvm = get_gateway().jvm
    configuration = jvm.org.apache.flink.configuration.Configuration()
    for key, value in {**_OPTIONS, **read_configuration(project), **(options or {})}.items():
        configuration.setString(key, value)
    builder = jvm.org.apache.flink.runtime.minicluster.MiniClusterConfiguration.Builder()
    cluster = jvm.org.apache.flink.runtime.minicluster.MiniCluster(
        builder.setConfiguration(configuration).setNumTaskManagers(1).setNumSlotsPerTaskManager(slots).build(),
    )
    cluster.start()
    try:
        address = cluster.getRestAddress().get()
        yield MiniCluster(address.getHost(), address.getPort())
    finally:
        cluster.close()


@contextmanager
def early_minicluster(project: Project, slots: int) -> Iterator[Future[MiniCluster]]:
    """Start the JVM and a cluster while the block does what needs neither, as `early_jvm` says; they end with it.

    For a process that runs one job: its JVM knows no other place to get Python workers from.
    """
    stack = ExitStack()
    with (
        forked_workers() as folder,
        variable(RUNNER_FOLDER, str(folder)),
        early_jvm(project, lambda: stack.enter_context(minicluster(project, slots))) as starting,
        stack,
    ):
        try:
            yield starting
        finally:
            wait([starting])  # or the cluster would be closed before it is there
