"""Riders in a worker of their own, where rows are scored one by one: they get batches of rows that have their scores.

The function's arguments are those of the scoring function, then each output as `argument_sql` writes an input. Its
result is that of the scoring function with riders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyflink.table.udf import ScalarFunction, udf

from udfs.flink.scoring import by_name, length_of, result_type
from udfs.flink.speedups import prepare_worker
from udfs.nulls import with_nulls
from udfs.scoring.arguments import ERROR, column_of, columns_of
from udfs.scoring.inference import as_input
from udfs.scoring.model import numpy_dtype

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.scoring.model import ModelSpec
    from udfs.scoring.rider import LoadedRider, Rider

__all__ = ["riding_function"]


def riding_function(spec: ModelSpec, riders: tuple[Rider, ...], *, pandas: bool) -> UserDefinedScalarFunctionWrapper:
    """Return the vectorised function that lets riders see scored rows; `pandas` as for `scoring_function`."""
    ride = _Ride(spec, riders, pandas=pandas)
    return udf(ride, result_type=result_type(spec, riders), func_type="pandas", name=f"ride_{spec.name}")


class _Ride(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    def __init__(self, spec: ModelSpec, riders: tuple[Rider, ...], *, pandas: bool) -> None:
        self.spec = spec
        self.riders = riders
        self.pandas = pandas
        self._loaded: list[LoadedRider] = []

    def open(self, function_context: FunctionContext) -> None:
        self.pandas = prepare_worker(function_context, pandas=self.pandas)
        self._loaded = [rider.load() for rider in self.riders]

    def eval(self, *arguments: Any) -> pd.DataFrame | dict[str, NDArray[Any]]:  # noqa: ANN401 - a Series or an array each, or a plain value for a constant
        rows, remaining = length_of(arguments, f"model {self.spec.name}"), iter(arguments)
        batch = [*columns_of(self.spec.inputs, remaining, rows)]
        inputs = [as_input(column, i.dtype)[0] for column, i in zip(batch, self.spec.inputs, strict=True)]
        given = [[column_of(next(remaining), rows, numpy_dtype(d)) for d in rider.arguments] for rider in self.riders]
        wide = columns_of(self.spec.outputs, remaining, rows)
        outputs = [as_input(column, o.dtype)[0] for column, o in zip(wide, self.spec.outputs, strict=True)]
        named = by_name(self.spec, inputs, outputs)
        columns = {output.name: with_nulls(v) for output, v in zip(self.spec.outputs, outputs, strict=True)}
        columns[ERROR] = np.full(rows, None, object)  # which the scored rows have
        for loaded, own in zip(self._loaded, given, strict=True):
            columns |= loaded.ride(named, own)
        if not self.pandas:
            return columns
        import pandas as pd

        return pd.DataFrame(columns, copy=False)
