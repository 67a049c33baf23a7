"""Score single rows with what `run_inference` returns for them, to the bit, in a tenth of its time.

A row is written into the buffers of one call, as many times as `run_inference` repeats a row that is alone. Whatever is
unusual goes through `score_batch` itself, as a batch of one: a NULL that the model has no value for, a value that its
input's dtype cannot represent, a call that fails.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.scoring.arguments import columns_of
from udfs.scoring.inference import score_batch, unusable
from udfs.scoring.model import RUN_ERRORS, numpy_dtype, one_per_row
from udfs.scoring.time_limit import LimitedCalls, TimeLimitError
from udfs.scoring.worker_memory import release_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnxruntime
    from numpy.typing import NDArray

    from udfs.scoring.model import Model, ModelSpec
    from udfs.scoring.signature import Tensor

    Arguments = Sequence[Any]
    Fill = Callable[[Arguments], None]

__all__ = ["RowScorer"]

_UNUSUAL = (ArithmeticError, TypeError, ValueError)
"""What filling a buffer raises for a value that `score_batch` is to judge: OverflowError and FloatingPointError too."""


class RowScorer:
    """Scores the rows of one thread with a model; `close` it when there are no more."""

    def __init__(self, model: Model) -> None:
        spec = model.spec
        values, nulls = _positions(spec)
        self.model = model
        self._nulls = nulls
        self._rows = model.calls.multiple
        self._buffers = {tensor.name: _buffer(tensor, model) for tensor in model.tensors}
        self._fill = [
            _filler(self._buffers[tensor.name], [values[i] for i in spec.columns_of(tensor)], spec)
            for tensor in model.tensors
        ]
        self._wanted = model.wanted
        self._outputs = [(o, self._wanted.index(o.tensor), numpy_dtype(o.dtype).kind == "f") for o in spec.outputs]
        self._shapes: list[tuple[int, ...]] = [()] * len(self._outputs)  # of the last call, which were as they must be
        self.limit = LimitedCalls(spec.time_limit, model.title)
        """The time limit of its calls."""

        release_after(self.limit.options)

    def close(self) -> None:
        """End the time limit of the model's calls."""
        self.limit.close()

    def score(self, arguments: Arguments) -> tuple[list[Any], str | None]:
        """Return a row's outputs, None for NULL, and why there is one, as in `Predictions.error`.

        `arguments` are plain values in the order of `argument_sql`: of an input that is a float one, else two.
        """
        if any(arguments[i] for i in self._nulls):
            return self._judged(arguments)
        try:
            with np.errstate(over="raise"):  # numbers that a narrower type cannot represent
                for fill in self._fill:
                    fill(arguments)
            results = self.limit.run(self._call)
            return self._values(results)
        except TimeLimitError as error:
            return [None] * len(self._outputs), str(error)
        except (*_UNUSUAL, *RUN_ERRORS):
            return self._judged(arguments)

    def _call(self, options: onnxruntime.RunOptions) -> list[Any]:
        results: list[Any] = self.model.session.run(self._wanted, self._buffers, options)
        return results

    def _values(self, results: list[NDArray[Any]]) -> tuple[list[Any], str | None]:
        values: list[Any] = []
        why = None
        for number, (output, place, is_float) in enumerate(self._outputs):
            result = results[place]
            if result.shape != self._shapes[number]:
                one_per_row(result, self._rows, output)  # raises OutputShapeError
                self._shapes[number] = result.shape
            value = result.item(output.element or 0)
            if is_float:
                value = float(value)
                if words := unusable(value):
                    value, why = None, why or f"output `{output.name}` is {words}"
            values.append(value)
        return values, why

    def _judged(self, arguments: Arguments) -> tuple[list[Any], str | None]:
        """Return what `run_inference` says of a batch of this row alone."""
        found = score_batch([*columns_of(self.model.spec.inputs, iter(arguments), 1)], self.model)
        values = [_plain(column) for column in found.outputs]
        return values, None if found.error is None else found.error[0]


def _positions(spec: ModelSpec) -> tuple[list[int], list[int]]:
    """Return the positions of the arguments that have the inputs' values, and of those that say that one is NULL."""
    values, nulls, at = [], [], 0
    for given in spec.inputs:
        values.append(at)
        at += 1
        if not given.dtype.startswith("float"):
            nulls.append(at)
            at += 1
    return values, nulls


def _buffer(tensor: Tensor, model: Model) -> NDArray[Any]:
    shape = (model.calls.multiple, len(model.spec.columns_of(tensor)))[: len(tensor.shape)]
    return np.zeros(shape, numpy_dtype(tensor.dtype))


def _filler(buffer: NDArray[Any], at: list[int], spec: ModelSpec) -> Fill:
    """Return a function that writes the arguments `at` these positions into all rows of a tensor's buffer.

    It raises one of _UNUSUAL for a value that the tensor cannot have as it is.
    """
    if buffer.dtype.kind == "f":
        return _float_filler(buffer, at, refuses=spec.null_inputs == "refuse")
    if buffer.dtype.kind == "i":

        def fill(arguments: Arguments) -> None:
            buffer[:] = [_whole(arguments[i]) for i in at]
    else:

        def fill(arguments: Arguments) -> None:
            buffer[:] = [arguments[i] for i in at]

    return fill


def _float_filler(buffer: NDArray[Any], at: list[int], *, refuses: bool) -> Fill:
    """As `_filler`; with `refuses`, NaN is unusual too."""
    row = np.zeros(len(at))

    def fill(arguments: Arguments) -> None:
        values = [arguments[i] for i in at]
        if refuses and any(map(isnan, values)):  # of None, a TypeError
            raise ValueError("the model refuses NaN")
        row[:] = values  # of None, NaN
        buffer[:] = row

    return fill


def _whole(value: float) -> int:
    """Return a whole number; numpy would cut off a fraction. Raises ValueError for any other."""
    if type(value) is int:
        return value
    if not float(value).is_integer():
        raise ValueError(f"{value} is no whole number")
    return int(value)


def _plain(column: NDArray[Any]) -> Any:  # noqa: ANN401 - a value of SQL
    """Return the only value of an output as a plain one, None for NULL."""
    value = column[0]
    if value is np.ma.masked:
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and isnan(plain) else plain
