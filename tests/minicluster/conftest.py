"""Tests that use the JVM; most run jobs on the shared MiniCluster."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.project.settings import Project


@pytest.fixture(scope="session", autouse=True)
def _jvm(jvm_project: Project) -> None:
    """Start the JVM before anything else does."""
    del jvm_project


@pytest.fixture(autouse=True)
def _garbage() -> Iterator[None]:
    """Collect garbage on the main thread, where the JVM's objects must be freed; it is off otherwise."""
    yield
    gc.collect()
