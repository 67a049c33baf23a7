"""What many tests share: one real Kafka broker per run, and topic names that nobody else uses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pyflink_jobs.local.broker import Broker, start, stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start a broker on free ports; it is stopped and its data deleted when the run ends."""
    state = tmp_path_factory.mktemp("broker") / ".millstream"
    yield start(state, port=0)
    stop(state, purge=True)


@pytest.fixture
def topic() -> Callable[[str], str]:
    """Return a function that makes a topic name of its own from a readable beginning."""
    return lambda beginning: f"{beginning}-{uuid4().hex[:8]}"
