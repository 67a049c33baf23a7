"""Millstream: ONNX models inside Flink SQL pipelines.

    import pyflink_jobs as millstream

    project = millstream.load_project()
    assert millstream.check(project).ok
    millstream.run(project, "score", bounded=True)

These names are the public API; everything else may change from version to version. They are imported when they are
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink_jobs.api import Checked, check, load_project, plan, run, submit
    from pyflink_jobs.cluster.submit_job import Submitted
    from pyflink_jobs.errors import (
        ClusterError,
        ContractError,
        FeatureTestError,
        Finding,
        JobError,
        KafkaError,
        LocalError,
        MillstreamError,
        ModelError,
        Place,
        ProjectError,
        SqlError,
    )
    from pyflink_jobs.planning.compile.explanation import Explanation
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.job import Outcome
    from pyflink_jobs.running.progress import JobCounts

__all__ = [
    "Checked",
    "ClusterError",
    "ContractError",
    "Explanation",
    "FeatureTestError",
    "Finding",
    "JobCounts",
    "JobError",
    "KafkaError",
    "LocalError",
    "MillstreamError",
    "ModelError",
    "Outcome",
    "Place",
    "Project",
    "ProjectError",
    "SqlError",
    "Submitted",
    "check",
    "load_project",
    "plan",
    "run",
    "submit",
]

_MODULES = {
    "Checked": "api",
    "Explanation": "planning.compile.explanation",
    "JobCounts": "running.progress",
    "Outcome": "running.job",
    "Project": "project.settings",
    "Submitted": "cluster.submit_job",
    "check": "api",
    "load_project": "api",
    "plan": "api",
    "run": "api",
    "submit": "api",
}
"""Where a name is defined; the others are in `errors`."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
