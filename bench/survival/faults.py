"""The faults: how each begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.survival.site import Site

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """A fault: `begin` is called with the site and the number of the try, `end` after `lasts` seconds.

    A fault with `needs_isolation` can only be tried in separate namespaces. With `must_restart`, a job has not
    recovered before a restart: a killed process may be idle, and only be needed later.
    """

    name: str
    begin: Callable[[Site, int], None]
    end: Callable[[Site], None]
    lasts: float = 0.0
    needs_isolation: bool = False
    must_restart: bool = False


def _nothing(_: Site) -> None:
    """Flink recovers by itself."""


def _kill_taskmanager(site: Site, _: int) -> None:
    site.kill(site.busiest_taskmanager())


def _kill_jobmanager(site: Site, _: int) -> None:
    site.kill("jobmanager")


def _kill_zookeeper(site: Site, _: int) -> None:
    site.kill("zookeeper")


def _kill_broker(site: Site, _: int) -> None:
    site.kill_broker()


def _kill_worker(site: Site, number: int) -> None:
    site.kill_worker(number)


def _cut(site: Site, _: int) -> None:
    assert site.network, "the fault needs isolation"  # noqa: S101
    site.network.cut()


def _restore(site: Site) -> None:
    assert site.network, "the fault needs isolation"  # noqa: S101
    site.network.restore()


def _fill(site: Site, _: int) -> None:
    assert site.disk, "the fault needs isolation"  # noqa: S101
    site.disk.fill()


def _empty(site: Site) -> None:
    assert site.disk, "the fault needs isolation"  # noqa: S101
    site.disk.empty()


def _refuse(site: Site, _: int) -> None:
    assert site.disk, "the fault needs isolation"  # noqa: S101
    site.disk.refuse()


def _accept(site: Site) -> None:
    assert site.disk, "the fault needs isolation"  # noqa: S101
    site.disk.accept()


def _start_cluster(site: Site) -> None:
    site.start_cluster()


def _start_broker(site: Site) -> None:
    site.start_broker()


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kill -9 TaskManager", _kill_taskmanager, _start_cluster),
        Fault("kill -9 Python worker", _kill_worker, _nothing, must_restart=True),
        Fault("kill -9 JobManager", _kill_jobmanager, _start_cluster),
        Fault("kill -9 ZooKeeper", _kill_zookeeper, _start_cluster),
        Fault("kill -9 broker", _kill_broker, _start_broker),
        Fault("broker away for 60 s", _kill_broker, _start_broker, lasts=60),
        Fault("checkpoint folder full for 10 s", _fill, _empty, lasts=10, needs_isolation=True),
        Fault("checkpoint folder read-only for 10 s", _refuse, _accept, lasts=10, needs_isolation=True),
        Fault("network to the broker cut for 20 s", _cut, _restore, lasts=20, needs_isolation=True),
    )
}
"""By name, in the order of the table."""
