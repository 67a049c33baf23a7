"""Java objects that Python no longer needs are released on the one connection, whichever thread drops them."""

from __future__ import annotations

import gc
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.jvm import prepare_jvm, start_jvm

if TYPE_CHECKING:
    import pathlib

OBJECTS = 500


@pytest.fixture
def gateway(tmp_path: pathlib.Path) -> Any:  # noqa: ANN401 - py4j ships no types
    prepare_jvm(Project(tmp_path, Settings()))
    return start_jvm()


def objects(gateway: Any) -> int:  # noqa: ANN401
    """Return how many Java objects the JVM keeps for Python."""
    return int(gateway.java_gateway_server.getGateway().getBindings().size())


def test_objects_dropped_on_another_thread_are_released_by_the_thread_that_calls(gateway: Any) -> None:  # noqa: ANN401
    call = gateway.jvm.java.lang.Thread.currentThread
    thread_of_connection = call().getId()
    gc.collect()
    before = objects(gateway)
    # As PyFlink's objects often are: in cycles, which the collector alone finds.
    cycles: list[list[Any]] = [[gateway.jvm.java.util.ArrayList()] for _ in range(OBJECTS)]
    for cycle in cycles:
        cycle.append(cycle)
    del cycle
    assert objects(gateway) >= before + OBJECTS
    ended = Event()

    def drop() -> None:
        while cycles:
            del cycles[-10:]
            gc.collect()
        ended.set()

    dropping = Thread(target=drop)
    dropping.start()
    used = set()
    while not ended.is_set():
        used.add(call().getId())
    dropping.join()
    assert objects(gateway) < before + 50
    assert used == {thread_of_connection}
    assert len(gateway._gateway_client.deque) == 1  # noqa: SLF001 - py4j's connections


def test_the_collector_stays_on(gateway: Any) -> None:  # noqa: ANN401
    gateway.jvm.java.util.ArrayList()
    assert gc.isenabled()
