"""Tests that use the JVM; most run jobs on the shared MiniCluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project


@pytest.fixture(scope="session", autouse=True)
def _jvm(jvm_project: Project) -> None:
    """Start the JVM before anything else does."""
    del jvm_project
