"""The system under test: a broker, a standalone Flink cluster with ZooKeeper, their network and disk."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import psutil

from bench.survival.isolation import HOST, Network, SmallDisk, isolated
from pyflink_jobs.local import broker, flink_cluster

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Site"]

_OPTIONS = {
    # A dead TaskManager is removed after two unanswered calls, a silent one after eight seconds.
    "heartbeat.interval": "500 ms",
    "heartbeat.timeout": "8 s",
    "heartbeat.rpc-failure-threshold": "2",
    # Each TaskManager has a part of the job: the one that is left has loaded its code.
    "taskmanager.load-balance.mode": "SLOTS",
    # Processes that start often: this halves the CPU time of their start.
    "env.java.opts.taskmanager": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "env.java.opts.jobmanager": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
}
_LOOK = 2.0  # seconds in which a busy worker uses CPU
_WORKER = "pyflink.fn_execution.beam.beam_boot"


class Site:
    """Two TaskManagers of two slots, a JobManager, ZooKeeper, a broker; all below the folder `state`.

    In separate namespaces (`isolate`), the broker is at the far end of `network`, and checkpoints are on `disk`.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.network: Network | None = None
        self.disk: SmallDisk | None = None
        if isolated():
            self.network = Network()
            self.disk = SmallDisk(flink_cluster.folder(state) / "checkpoints")
            self.disk.mount()
        self._port = 0
        self.bootstrap = ""
        self.start_broker()
        layout = flink_cluster.Layout(taskmanagers=2, slots=2, ha=True, options=tuple(_OPTIONS.items()))
        self.url = flink_cluster.start(state, layout, 0).url

    def in_broker_network(self) -> AbstractContextManager[None]:
        """Return a context in which this thread is in the broker's network."""
        return self.network.inside() if self.network else nullcontext()

    def start_broker(self) -> None:
        """Start the broker, at the same address as before."""
        with self.in_broker_network():
            running = broker.start(self.state, self._port, host=HOST if self.network else "127.0.0.1")
        self.bootstrap = running.bootstrap_servers
        self._port = int(self.bootstrap.rpartition(":")[2])

    def kill_broker(self) -> None:
        """Kill -9."""
        running = broker.alive(self.state)
        assert running is not None, "it was started, and what was killed was started again"  # noqa: S101
        _kill(psutil.Process(running.pid))

    def start_cluster(self) -> tuple[str, ...]:
        """Start the cluster's missing processes, and return their roles."""
        return flink_cluster.start(self.state).started_now

    def processes(self) -> dict[str, psutil.Process]:
        """Return the cluster's processes by role, and the broker's."""
        found = flink_cluster.processes(self.state)
        running = broker.alive(self.state)
        return {**found, **({"broker": psutil.Process(running.pid)} if running else {})}

    def workers(self) -> dict[str, list[psutil.Process]]:
        """Return the Python workers by the role of their TaskManager."""
        found: dict[str, list[psutil.Process]] = {}
        for role, process in flink_cluster.processes(self.state).items():
            if role.startswith("taskmanager"):
                children = process.children(recursive=True)
                found[role] = [child for child in children if _is_worker(child)]
        return found

    def kill(self, role: str) -> None:
        """Kill -9 of a process of the cluster."""
        _kill(flink_cluster.processes(self.state)[role])

    def kill_worker(self, number: int) -> None:
        """Kill -9 of a busy Python worker, chosen by `number`."""
        all_of_them = [worker for workers in self.workers().values() for worker in workers]
        before = [_seconds(worker) for worker in all_of_them]
        time.sleep(_LOOK)
        worked = [_seconds(worker) - so_far for worker, so_far in zip(all_of_them, before, strict=True)]
        busy = [worker for worker, seconds in zip(all_of_them, worked, strict=True) if seconds >= max(worked) / 2]
        _kill(busy[number % len(busy)])

    def busiest_taskmanager(self) -> str:
        """Return the role of a TaskManager that works for the job."""
        workers = self.workers()
        return max(workers, key=lambda role: len(workers[role]))

    def close(self, *, keep: bool = False) -> None:
        """Stop all processes, and delete the data unless `keep`."""
        flink_cluster.stop(self.state)
        broker.stop(self.state, purge=not keep)
        if self.network:
            self.network.close()


def _kill(process: psutil.Process) -> None:
    process.kill()
    process.wait(10)


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return _WORKER in process.cmdline()
    except psutil.Error:
        return False
