"""Tests on the shared MiniCluster leave no garbage to the JVM's other threads."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _garbage() -> Iterator[None]:
    """Collect garbage on the main thread, where the JVM's objects must be freed; it is off otherwise."""
    yield
    gc.collect()
