"""Score a batch of rows so that a row's result depends on that row alone.

In a batch and in its outputs, NULL is NaN in a float array, and a masked element in any other:

>>> masked(np.array([1, 2]), np.array([False, True])).tolist()
[1, None]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.nulls import masked
from udfs.scoring.conversion import convert, lost_value
from udfs.scoring.model import RUN_ERRORS, Model, numpy_dtype
from udfs.scoring.time_limit import TimeLimitError
from udfs.scoring.worker_memory import check_memory, failure_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.signature import Tensor

__all__ = ["Predictions", "as_input", "assemble", "run_inference", "score_batch", "unusable"]


@dataclass(frozen=True)
class Predictions:
    """The outputs of a model for a batch.

    `outputs` has one array of shape (rows,) for each output of the spec, of the dtype that the spec has. NULL is NaN in
    a float array, and a masked element in any other (numpy.ma), as in the batch.
    `error` is None if every output of every row has a value. Else it is an object array of shape (rows,): None, or the
    reason why the row was refused (then all its outputs are NULL), or which output is NaN or infinite (NULL as well).
    `inputs` is the batch as the model got it, of the dtypes that the spec has; a value that was lost is NULL.
    """

    outputs: tuple[NDArray[Any], ...]
    error: NDArray[np.object_] | None
    inputs: tuple[NDArray[Any], ...]


def run_inference(batch: Sequence[NDArray[Any]], model: Model) -> Predictions:
    """Score a batch: one array of shape (rows,) for each input of the model's spec, in that order.

    NULL is NaN in a float array. In an integer, bool or string array it is a masked element (numpy.ma); these have
    no NaN, so the row is refused. So is a row with a value that the input's dtype cannot represent: an array may have
    another dtype than its input (see `udfs.scoring.conversion`). Only the rows that the model cannot score are refused:
    a call that fails is repeated in halves, one that takes too long is repeated row by row. Scores are those of ONNX
    Runtime, and equal to the bit however rows are divided into batches.

    Raises WorkerMemoryError where this process has grown beyond its memory limit. That is checked before each batch, so
    that a new process scores at least one.
    """
    check_memory(model.spec.worker_memory)
    return score_batch(batch, model)


def score_batch(batch: Sequence[NDArray[Any]], model: Model) -> Predictions:
    """Score a batch as `run_inference` does, in a process whose memory is not the worker's alone."""
    work = _Work(model, len(batch[0]))
    inputs: list[NDArray[Any]] = []
    # The last input first, so that the reason names the first of a row's NULLs.
    for given, column in reversed([*zip(model.spec.inputs, batch, strict=True)]):
        null, why = _nulls(column, given.dtype, model)
        if null is not None and null.any():
            work.refuse(null, f"input `{given.name}` is {why}")
        converted, lost = as_input(column, given.dtype)
        for row in () if lost is None else np.flatnonzero(lost):
            work.refuse(row, f"input `{given.name}` is {lost_value(column[row], given.dtype)}")
        inputs.insert(0, converted)
    tensors = {tensor.name: assemble(tensor, inputs, model) for tensor in model.tensors}
    rows = np.arange(work.size)
    if work.refused.any():
        rows = np.flatnonzero(~work.refused)
        tensors = {name: tensor[rows] for name, tensor in tensors.items()}
    for start in range(0, len(rows), model.calls.rows):
        part = slice(start, start + model.calls.rows)
        work.score({name: tensor[part] for name, tensor in tensors.items()}, rows[part])
    return work.predictions(inputs)


def as_input(column: NDArray[Any], dtype: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return a column of shape (rows,) as in `Predictions.inputs`, and where a value was lost, as `convert` does."""
    converted, lost = convert(column, dtype)
    if lost is not None and converted.dtype.kind != "f":
        converted = masked(converted, lost | _masks(converted))
    return converted, lost


def unusable(value: float) -> str:
    """Return what a score is that no output can have: "NaN", "Infinity" or "-Infinity"; "" for a number.

    JSON has no number for an infinite one.
    """
    if value - value == 0:
        return ""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - only NaN does


def _masks(column: NDArray[Any]) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.ma.getmaskarray(column)  # type: ignore[no-untyped-call]  # numpy has no types for it
    return mask


def _nulls(column: NDArray[Any], dtype: str, model: Model) -> tuple[NDArray[np.bool_] | None, str]:
    if isinstance(column, np.ma.MaskedArray):
        return column.mask, f"NULL, and {dtype} has no NaN"
    if dtype.startswith("float") and model.spec.null_inputs == "refuse":
        return np.isnan(column), "NULL or NaN"
    return None, ""


def assemble(tensor: Tensor, batch: Sequence[NDArray[Any]], model: Model) -> NDArray[Any]:
    """Return the tensor, of shape (rows,) or (rows, columns), in C order; the columns have its dtype."""
    columns = [np.asarray(batch[i]) for i in model.spec.columns_of(tensor)]
    if len(tensor.shape) == 1:
        return np.ascontiguousarray(columns[0])
    matrix = np.empty((len(columns[0]), len(columns)), numpy_dtype(tensor.dtype))
    for i, column in enumerate(columns):
        matrix[:, i] = column
    return matrix


class _Work:
    """The outputs and errors of one batch while it is being scored."""

    def __init__(self, model: Model, size: int) -> None:
        self.model = model
        self.size = size
        self.outputs = [_all_null(size, output.dtype) for output in model.spec.outputs]
        self.refused = np.zeros(size, np.bool_)
        self.error: NDArray[np.object_] | None = None

    def explain(self, rows: NDArray[Any] | np.intp, why: str) -> None:
        if self.error is None:
            self.error = np.full(self.size, None, object)
        self.error[rows] = why

    def refuse(self, rows: NDArray[Any] | np.intp, why: str) -> None:
        self.refused[rows] = True
        self.explain(rows, why)

    def score(self, tensors: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> None:
        """Score the tensors' rows, whose positions in the batch are `rows`; on failure, in parts."""
        try:
            outputs = self.model.run({name: self.model.calls.pad(tensor) for name, tensor in tensors.items()})
        except RUN_ERRORS as error:
            if len(rows) == 1:
                self.refuse(rows, failure_text(error))
                return
            # Halves find a bad row in few calls. But a call that does not end takes the whole time limit, and other
            # calls take almost none: row by row, a row that never ends takes the limit only twice.
            step = 1 if isinstance(error, TimeLimitError) else (len(rows) + 1) // 2
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                self.score({name: tensor[part] for name, tensor in tensors.items()}, rows[part])
            return
        for place, values in zip(self.outputs, outputs, strict=True):
            place[rows] = values[: len(rows)]

    def predictions(self, inputs: Sequence[NDArray[Any]]) -> Predictions:
        outputs = self.outputs
        for spec, values in reversed([*zip(self.model.spec.outputs, outputs, strict=True)]):
            if values.dtype.kind != "f" or np.isfinite(values).all():
                continue
            if (nan := np.isnan(values) & ~self.refused).any():
                self.explain(nan, f"output `{spec.name}` is {unusable(np.nan)}")
            for infinity in (-np.inf, np.inf):
                if (same := values == infinity).any():
                    self.explain(same, f"output `{spec.name}` is {unusable(infinity)}")
                    values[same] = np.nan
        if self.refused.any():
            outputs = [v if v.dtype.kind == "f" else masked(v, self.refused) for v in outputs]
        return Predictions(tuple(outputs), self.error, tuple(inputs))


def _all_null(size: int, dtype: str) -> NDArray[Any]:
    kind = numpy_dtype(dtype)
    return np.full(size, np.nan if kind.kind == "f" else None if kind.kind == "O" else 0, kind)
