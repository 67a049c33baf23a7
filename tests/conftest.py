"""What many tests share: which of them run in one process, and topic names that nobody else uses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from pyflink_jobs.running.fast_start.jvm import start_quickly

if TYPE_CHECKING:
    from collections.abc import Callable

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
