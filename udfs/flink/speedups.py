"""Whether a job's workers replace parts of PyFlink and Beam by faster ones: one job parameter turns that off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink.table.udf import FunctionContext

__all__ = ["SPEEDUPS", "has_speedups", "prepare_worker"]

SPEEDUPS = "millstream.speedups"
"""The job parameter: with "false", workers use PyFlink and Beam as they are.

In Flink's configuration it is `pipeline.global-job-parameters.millstream.speedups`.
"""


def has_speedups(function_context: FunctionContext) -> bool:
    """Return whether a function's worker may do `without_sampling` and `without_pandas`."""
    return bool(function_context.get_job_parameter(SPEEDUPS, "true") == "true")


def prepare_worker(function_context: FunctionContext, *, pandas: bool) -> bool:
    """Make a worker's bundles faster, if the job allows it; return whether its batches come as pandas' columns.

    Without `pandas` they come as arrays, to all vectorised functions of the worker.
    """
    if not has_speedups(function_context):
        return True
    from udfs.flink.without_sampling import skip_sampling

    skip_sampling()
    if not pandas:
        from udfs.flink.without_pandas import skip_pandas

        skip_pandas()
    return pandas
