"""A Flink MiniCluster in this process's JVM: JobManager and TaskManager for jobs on one machine.

It outlives the jobs it runs, so a job's counts can still be asked for when it has ended, and a second job starts
in a second. Python workers are processes of their own, as on a real cluster.
"""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from py4j.protocol import Py4JNetworkError

from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.running.fast_start.worker_forks import RUNNER_FOLDER, forked_workers
from pyflink_jobs.running.jvm import early_jvm, prepare_jvm, start_jvm, variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from pyflink_jobs.project.settings import Project

__all__ = ["TARGET", "MiniCluster", "StartingCluster", "early_minicluster", "minicluster", "slots_of"]

_OPTIONS = {
    "rest.port": "0",
    "rest.bind-port": "0",
    "metrics.fetcher.update-interval": "500",  # milliseconds; a progress line shows current counts
    "taskmanager.memory.network.min": "64mb",
    "taskmanager.memory.network.max": "64mb",
    "taskmanager.memory.managed.size": "256mb",
}

TARGET = {"execution.target": "remote", "execution.attached": "true"}
"""The options of an environment whose jobs go to a cluster, as far as they are known before it runs."""


@dataclass(frozen=True)
class MiniCluster:
    """A running cluster: where its REST interface is."""

    address: str
    port: int

    @property
    def options(self) -> dict[str, str]:
        """The options that send an environment's jobs here."""
        return {
            **TARGET,
            "rest.address": self.address,
            "rest.port": str(self.port),
        }

    @property
    def url(self) -> str:
        """The base of the REST interface."""
        return f"http://{self.address}:{self.port}"


def slots_of(project: Project) -> int:
    """Return the parallelism of a project's jobs on this machine: its Flink configuration's, or else its settings'."""
    return int(read_configuration(project).get("parallelism.default", project.settings.parallelism))


class StartingCluster:
    """A cluster that a thread of the JVM starts, while other threads use the JVM for planning."""

    def __init__(self, project: Project, slots: int, options: Mapping[str, str] | None = None) -> None:
        prepare_jvm(project)
        jvm = start_jvm().jvm
        configuration = jvm.org.apache.flink.configuration.Configuration()
        for key, value in {**_OPTIONS, **read_configuration(project), **(options or {})}.items():
            configuration.setString(key, value)
        builder = jvm.org.apache.flink.runtime.minicluster.MiniClusterConfiguration.Builder()
        self._cluster = jvm.org.apache.flink.runtime.minicluster.MiniCluster(
            builder.setConfiguration(configuration).setNumTaskManagers(1).setNumSlotsPerTaskManager(slots).build(),
        )
        runnable = jvm.java.lang.Class.forName("java.lang.Runnable")
        self._thread = jvm.java.lang.Thread(jvm.java.beans.EventHandler.create(runnable, self._cluster, "start"))
        self._thread.start()

    def wait(self) -> MiniCluster:
        """Wait until the cluster runs, and return it."""
        self._thread.join()
        address = self._cluster.getRestAddress().get()
        return MiniCluster(address.getHost(), address.getPort())

    def close(self) -> None:
        """End the cluster, and its jobs with it."""
        with suppress(Py4JNetworkError):  # the JVM has ended already
            self._thread.join()
            self._cluster.close()


@contextmanager
def minicluster(project: Project, slots: int, options: Mapping[str, str] | None = None) -> Iterator[MiniCluster]:
    """Start a cluster with `slots` slots; it and its jobs end with the block."""
    with closing(StartingCluster(project, slots, options)) as starting:
        yield starting.wait()


@contextmanager
def early_minicluster(project: Project, slots: int) -> Iterator[Future[StartingCluster]]:
    """Start the JVM and a cluster while the block does what needs neither, as `early_jvm` says; they end with it.

    For a process that runs one job: with the setting `speedups`, its JVM gets all Python workers from one place.
    """
    with ExitStack() as stack:
        if project.settings.speedups:
            folder = stack.enter_context(forked_workers())
            stack.enter_context(variable(RUNNER_FOLDER, str(folder)))
        starting = stack.enter_context(early_jvm(project, lambda: StartingCluster(project, slots)))
        try:
            yield starting
        finally:
            wait([starting])
            if not starting.exception():
                starting.result().close()
