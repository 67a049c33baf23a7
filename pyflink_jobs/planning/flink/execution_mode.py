"""Functions that Flink runs in its JVM, where `python.execution-mode` is "thread", and what has no place there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.project.interpreter import EXECUTION_MODE, PROCESS, THREAD

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.errors import Place
    from pyflink_jobs.planning.declarations import Model

__all__ = ["create_functions", "in_jvm", "vectorised_finding"]


def in_jvm(environment: TableEnvironment) -> bool:
    """Return whether Flink runs the functions of single rows in its JVM."""
    return bool(environment.get_config().get(EXECUTION_MODE, PROCESS) == THREAD)


def create_functions(environment: TableEnvironment, model: Model, score: str, ride: str, *, pandas: bool) -> bool:
    """Create the function `score`; return whether there is another one, `ride`, for the model's riders.

    In a worker, one function of batches scores and lets riders see them. In the JVM, one of single rows scores, and
    riders are called in a worker, with batches. `pandas` says whether batches are pandas' columns.
    """
    from udfs.flink import scoring

    riders = tuple(added.rider for added in model.additions.values() if added.rider)
    if not in_jvm(environment):
        function = scoring.scoring_function(model.spec, riders, pandas=pandas)
        environment.create_temporary_function(quoted(score), function)
        return False
    from udfs.flink.riding import riding_function
    from udfs.flink.row_scoring import row_scoring_function

    environment.create_temporary_function(quoted(score), row_scoring_function(model.spec))
    if riders:
        environment.create_temporary_function(quoted(ride), riding_function(model.spec, riders, pandas=pandas))
    return bool(riders)


def vectorised_finding(function: str, place: Place) -> Finding:
    """Return a finding for a user's vectorised function, where others run in the JVM."""
    message = f"function `{function}` is vectorised, and {EXECUTION_MODE} is {THREAD}: rows would wait for its batches"
    ways = (
        "write it for one value: @udf without func_type='pandas'",
        f"run the job without {EXECUTION_MODE}: {THREAD}",
    )
    return Finding(message, place, fixes=ways)
