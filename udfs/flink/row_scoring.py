"""The scoring function that Flink runs in its own JVM, a row at a time: python.execution-mode is "thread".

Arguments and result are those of the vectorised function (`udfs.flink.scoring`). There is no worker, so no record waits
for a bundle. All functions of a TaskManager share one Python interpreter, and its process.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from pyflink.common import Row
from pyflink.table.udf import ScalarFunction, udf

from udfs.flink.scoring import by_name, result_type
from udfs.scoring.arguments import column_of
from udfs.scoring.model import load_model, numpy_dtype
from udfs.scoring.row_scorer import RowScorer, plain_value
from udfs.scoring.samples import verify_samples
from udfs.scoring.worker_memory import resident_bytes, watch_memory

if TYPE_CHECKING:
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.scoring.model import ModelSpec
    from udfs.scoring.rider import LoadedRider, Rider

__all__ = ["row_scoring_function"]


def row_scoring_function(spec: ModelSpec, riders: tuple[Rider, ...] = ()) -> UserDefinedScalarFunctionWrapper:
    """Return the function that scores one row with the model of `spec`, which is loaded once for all slots."""
    return udf(_ScoreRow(spec, riders), result_type=result_type(spec, riders), name=f"score_{spec.name}")


class _ScoreRow(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    def __init__(self, spec: ModelSpec, riders: tuple[Rider, ...]) -> None:
        self.spec = spec
        self.riders = riders
        self._scorer: RowScorer | None = None
        self._loaded: list[LoadedRider] = []

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002 - Flink's
        model = load_model(self.spec)
        verify_samples(model)
        self._scorer = RowScorer(model)
        self._loaded = [rider.load() for rider in self.riders]
        watch_memory(self.spec.worker_memory + resident_bytes() + _free_heap())

    def close(self) -> None:
        if self._scorer:
            self._scorer.close()

    def eval(self, *arguments: Any) -> Row:  # noqa: ANN401 - plain values
        assert self._scorer is not None, "Flink calls open() first"  # noqa: S101
        if self._loaded:
            return self._with_riders(self._scorer, arguments)
        values, why = self._scorer.score(arguments)
        return Row(*values, why)

    def _with_riders(self, scorer: RowScorer, arguments: tuple[Any, ...]) -> Row:
        """Score a row as a batch of one, which is what riders expect; it takes ten times as long."""
        predictions = scorer.predictions(arguments)
        values = [plain_value(column) for column in predictions.outputs]
        values.append(None if predictions.error is None else predictions.error[0])
        remaining = iter(arguments[scorer.width :])
        for rider, loaded in zip(self.riders, self._loaded, strict=True):
            given = [column_of(next(remaining), 1, numpy_dtype(dtype)) for dtype in rider.arguments]
            values += [plain_value(np.asarray(c)) for c in loaded.ride(by_name(self.spec, predictions), given).values()]
        return Row(*values)


def _free_heap() -> int:
    """Return how many bytes Java's heap may still grow by; 0 in a process without Java."""
    with suppress(ImportError):
        from pemja import findClass

        java = findClass("java.lang.Runtime").getRuntime()
        return int(java.maxMemory() - java.totalMemory())
    return 0
