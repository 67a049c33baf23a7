"""Functions that Flink runs in its JVM, where `python.execution-mode` is "thread", and what has no place there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.parsing.create_model import MONITOR
from pyflink_jobs.project.interpreter import EXECUTION_MODE, THREAD

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.planning.declarations import Model

__all__ = ["check_monitor", "in_jvm", "model_function", "vectorised_finding"]

_PROCESS = f"run the job with {EXECUTION_MODE}: process, which flink-conf/throughput.yaml leaves as it is"


def in_jvm(environment: TableEnvironment) -> bool:
    """Return whether Flink runs the row functions of a job in its JVM."""
    return bool(environment.get_config().get(EXECUTION_MODE, "process") == THREAD)


def model_function(model: Model, environment: TableEnvironment, *, pandas: bool) -> UserDefinedScalarFunctionWrapper:
    """Return the function that scores with a model: of one row in the JVM, of batches in a worker.

    `pandas` says whether batches come as pandas' columns.
    """
    riders = tuple(added.rider for added in model.additions.values() if added.rider)
    if in_jvm(environment):
        from udfs.flink.row_scoring import row_scoring_function

        return row_scoring_function(model.spec, riders)
    from udfs.flink import scoring

    return scoring.scoring_function(model.spec, riders, pandas=pandas)


def check_monitor(call: Call, model: Model) -> list[Finding]:
    """Find a monitor that Flink cannot run in its JVM."""
    option = next((option for key, option in model.definition.options.items() if key.startswith(MONITOR)), None)
    if option is None:
        return []
    name = model.spec.name
    message = f"model `{name}` is monitored, and {EXECUTION_MODE} is {THREAD}: a monitor counts batches, in a worker"
    facts = (f"call at {call.place}",)
    twice = "declare the model a second time without the options monitor.*, and call that here"
    apart = f"call `{name}` in a job of its own, which reads the same source, in a process"
    return [Finding(message, option.place, facts, (f"{twice}; {apart}", _PROCESS))]


def vectorised_finding(function: str, place: Place) -> Finding:
    """Return a finding for a user's vectorised function, where others run in the JVM."""
    message = f"function `{function}` is vectorised, and {EXECUTION_MODE} is {THREAD}: rows would wait for its batches"
    ways = ("write it for one value: @udf without func_type='pandas'", _PROCESS)
    return Finding(message, place, fixes=ways)
