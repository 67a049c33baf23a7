"""The scoring function that Flink runs in its own JVM, a row at a time: python.execution-mode is "thread".

Arguments and result are those of the vectorised function (`udfs.flink.scoring`), but for the types of numbers: between
its JVM and the Python inside, Flink 2.3 fails on a NULL of FLOAT, INT, SMALLINT or TINYINT. There is no worker, and no
bundle to wait for. All functions of a TaskManager share one Python interpreter, and its process.

Riders need batches: the result has none of their fields, `udfs.flink.riding` adds them in a worker.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyflink.common import Row
from pyflink.table.udf import ScalarFunction, udf

from udfs.scoring.arguments import ERROR, SQL_TYPES, wide_type
from udfs.scoring.model import load_model
from udfs.scoring.row_scorer import RowScorer
from udfs.scoring.samples import verify_samples
from udfs.scoring.worker_memory import resident_bytes, watch_memory

if TYPE_CHECKING:
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.scoring.model import ModelSpec

__all__ = ["row_result_type", "row_scoring_function"]


def row_scoring_function(spec: ModelSpec) -> UserDefinedScalarFunctionWrapper:
    """Return the function that scores one row with the model of `spec`, which is loaded once for all slots."""
    return udf(_ScoreRow(spec), result_type=row_result_type(spec), name=f"score_{spec.name}")


def row_result_type(spec: ModelSpec) -> str:
    """Return the function's result type, as SQL: numbers are BIGINT or DOUBLE."""
    fields = [(output.name.replace("`", "``"), wide_type(SQL_TYPES[output.dtype])) for output in spec.outputs]
    return f"ROW<{', '.join(f'`{name}` {kind}' for name, kind in [*fields, (ERROR, 'STRING')])}>"


class _ScoreRow(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._scorer: RowScorer | None = None

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002 - Flink's
        model = load_model(self.spec)
        verify_samples(model)
        self._scorer = RowScorer(model)
        watch_memory(self.spec.worker_memory + resident_bytes() + _free_heap())

    def close(self) -> None:
        if self._scorer:
            self._scorer.close()

    def eval(self, *arguments: Any) -> Row:  # noqa: ANN401 - plain values
        assert self._scorer is not None, "Flink calls open() first"  # noqa: S101
        values, why = self._scorer.score(arguments)
        return Row(*values, why)


def _free_heap() -> int:
    """Return how many bytes Java's heap may still grow by; 0 in a process without Java."""
    with suppress(ImportError):
        from pemja import findClass

        java = findClass("java.lang.Runtime").getRuntime()
        return int(java.maxMemory() - java.totalMemory())
    return 0
