"""The scoring function that Flink's Python workers run.

Called with the arguments that `udfs.arguments.argument_sql` writes for each input of the model, in the order of
`ModelSpec.inputs`, it gives ROW(<outputs of the model>, error STRING). Outputs are NULL where the model refused the row
or gave NaN, and `error` then says why; otherwise `error` is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyflink.table.udf import ScalarFunction, udf

from udfs.arguments import SQL_TYPES
from udfs.inference import masked, run_inference
from udfs.model import load_model, numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.model import Model, ModelSpec

__all__ = ["ERROR", "result_type", "scoring_function"]

ERROR = "error"
"""The last field of the result."""


def scoring_function(spec: ModelSpec) -> UserDefinedScalarFunctionWrapper:
    """Return the vectorised function that scores with the model of `spec`; it is loaded in the worker."""
    return udf(_Score(spec), result_type=result_type(spec), func_type="pandas", name=f"score_{spec.name}")


def result_type(spec: ModelSpec) -> str:
    """Return the function's result type, as SQL. No output may be named as ERROR is."""
    fields = [(output.name.replace("`", "``"), SQL_TYPES[output.dtype]) for output in spec.outputs]
    return f"ROW<{', '.join(f'`{name}` {kind}' for name, kind in [*fields, (ERROR, 'STRING')])}>"


class _Score(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._model: Model | None = None

    def open(self, function_context: FunctionContext) -> None:
        del function_context
        self._model = load_model(self.spec)

    def eval(self, *arguments: Any) -> pd.DataFrame:  # noqa: ANN401 - a Series each, or a plain value for a constant
        assert self._model is not None, "Flink calls open() first"  # noqa: S101
        rows = _length(self.spec, arguments)
        predictions = run_inference([*_batch(self.spec, arguments, rows)], self._model)
        columns = {output.name: _nullable(v) for output, v in zip(self.spec.outputs, predictions.outputs, strict=True)}
        columns[ERROR] = np.full(rows, None, object) if predictions.error is None else predictions.error
        return pd.DataFrame(columns, copy=False)


def _length(spec: ModelSpec, arguments: tuple[Any, ...]) -> int:
    for argument in arguments:
        if isinstance(argument, pd.Series):
            return len(argument)
    raise ValueError(f"model {spec.name}: all inputs are constants; give at least one that differs from row to row")


def _batch(spec: ModelSpec, arguments: tuple[Any, ...], rows: int) -> Iterator[NDArray[Any]]:
    """Yield one array per input, as run_inference takes it."""
    remaining = iter(arguments)
    for given in spec.inputs:
        values = _array(next(remaining), given.dtype, rows)
        if not given.dtype.startswith("float"):
            null = _array(next(remaining), "bool", rows)
            values = masked(values, null) if null.any() else values
        yield values


def _array(argument: Any, dtype: str, rows: int) -> NDArray[Any]:  # noqa: ANN401 - a Series or a constant
    if isinstance(argument, pd.Series):
        values: NDArray[Any] = argument.to_numpy()
        return values
    return np.full(rows, argument, numpy_dtype(dtype))  # a float's None becomes NaN


def _nullable(values: NDArray[Any]) -> NDArray[Any]:
    """Return an output as pyflink takes it: NULL is NaN or None."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    nullable: NDArray[Any] = values.data.astype(object)
    nullable[values.mask] = None
    return nullable
