"""The scoring function that Flink's Python workers run.

Its arguments are those that `udfs.scoring.arguments.argument_sql` writes for each input of the model, in the order of
`ModelSpec.inputs`. Its result is ROW(<outputs of the model>, error STRING). Where the model refuses a row or returns
NaN, the outputs are NULL and `error` has the reason; otherwise `error` is NULL.

With riders (`udfs.scoring.rider`), their arguments follow those of the model, and their fields follow in the result.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import numpy as np
from pyflink.table.udf import ScalarFunction, udf

from udfs.flink.speedups import prepare_worker
from udfs.nulls import with_nulls
from udfs.scoring.arguments import ERROR, SQL_TYPES, column_of, columns_of, is_column
from udfs.scoring.call_size import ROWS_PER_CALL
from udfs.scoring.inference import run_inference
from udfs.scoring.metrics import ModelMetrics
from udfs.scoring.model import load_model, numpy_dtype
from udfs.scoring.samples import verify_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.scoring.model import Model, ModelSpec
    from udfs.scoring.rider import LoadedRider, Rider

__all__ = ["by_name", "length_of", "result_type", "scoring_function"]


def scoring_function(
    spec: ModelSpec, riders: tuple[Rider, ...] = (), *, pandas: bool = True
) -> UserDefinedScalarFunctionWrapper:
    """Return the vectorised function that scores with the model of `spec`, which the worker loads.

    Without `pandas`, batches come and go as numpy arrays. That takes less time, but applies to all vectorised functions
    of a worker: it is not for jobs that have others. With the job parameter SPEEDUPS "false", pandas is always used.
    """
    score = _Score(spec, riders, pandas=pandas)
    return udf(score, result_type=result_type(spec, riders), func_type="pandas", name=f"score_{spec.name}")


def result_type(spec: ModelSpec, riders: tuple[Rider, ...] = ()) -> str:
    """Return the function's result type, as SQL. No output may have the name of another field."""
    fields = [(output.name.replace("`", "``"), SQL_TYPES[output.dtype]) for output in spec.outputs]
    more = [field for rider in riders for field in rider.fields.items()]
    return f"ROW<{', '.join(f'`{name}` {kind}' for name, kind in [*fields, (ERROR, 'STRING'), *more])}>"


class _Score(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    def __init__(self, spec: ModelSpec, riders: tuple[Rider, ...], *, pandas: bool = True) -> None:
        self.spec = spec
        self.riders = riders
        self.pandas = pandas
        self._model: Model | None = None
        self._loaded: list[LoadedRider] = []
        self._metrics: ModelMetrics | None = None

    def open(self, function_context: FunctionContext) -> None:
        self.pandas = prepare_worker(function_context, pandas=self.pandas)
        started = perf_counter_ns()
        rows = function_context.get_job_parameter(f"{ROWS_PER_CALL}{self.spec.name}", "")
        self._model = load_model(self.spec, int(rows) if rows else None)
        verify_samples(self._model)
        took = _microseconds_since(started)
        self._loaded = [rider.load() for rider in self.riders]
        with suppress(RuntimeError):  # PyFlink raises it where python.metric.enabled is false
            self._metrics = ModelMetrics(function_context.get_metric_group(), self.spec, took)

    def eval(self, *arguments: Any) -> pd.DataFrame | dict[str, NDArray[Any]]:  # noqa: ANN401 - a Series or an array each, or a plain value for a constant
        assert self._model is not None, "Flink calls open() first"  # noqa: S101
        rows = length_of(arguments, f"model {self.spec.name}")
        remaining = iter(arguments)
        batch = [*columns_of(self.spec.inputs, remaining, rows)]
        started = perf_counter_ns()
        predictions = run_inference(batch, self._model)
        if self._metrics:
            self._metrics.count(batch, predictions.error, _microseconds_since(started))
        columns = {output.name: with_nulls(v) for output, v in zip(self.spec.outputs, predictions.outputs, strict=True)}
        columns[ERROR] = np.full(rows, None, object) if predictions.error is None else predictions.error
        named = by_name(self.spec, predictions.inputs, predictions.outputs)
        for rider, loaded in zip(self.riders, self._loaded, strict=True):
            given = [column_of(next(remaining), rows, numpy_dtype(dtype)) for dtype in rider.arguments]
            columns |= loaded.ride(named, given)
        if not self.pandas:
            return columns
        import pandas as pd

        return pd.DataFrame(columns, copy=False)


def _microseconds_since(nanoseconds: int) -> int:
    return (perf_counter_ns() - nanoseconds) // 1000


def length_of(arguments: tuple[Any, ...], what: str) -> int:
    """Return how many rows a batch has. Raises ValueError where no argument is a column."""
    for argument in arguments:
        if is_column(argument):
            return len(argument)
    raise ValueError(f"{what}: all inputs are constants; give at least one that is a column")


def by_name(
    spec: ModelSpec, inputs: Sequence[NDArray[Any]], outputs: Sequence[NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return all columns of the model, by name."""
    names = [*(given.name for given in spec.inputs), *(given.name for given in spec.outputs)]
    return dict(zip(names, (*inputs, *outputs), strict=True))
