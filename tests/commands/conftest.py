"""A Kafka broker for the tests of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local.broker import start, stop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a broker of the file's own: topics of the demo have fixed names, and must not meet other tests' records."""
    state = tmp_path_factory.mktemp("kafka") / ".millstream"
    yield start(state, port=0).bootstrap_servers
    stop(state, purge=True)
