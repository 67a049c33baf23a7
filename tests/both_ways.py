"""A model's rows by both ways: as batches, which Flink passes to a vectorised function, and one by one.

Values are those of SQL: None is NULL, a FLOAT or DOUBLE a float, an integer type an int.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.nulls import with_nulls
from udfs.scoring.arguments import columns_of
from udfs.scoring.inference import run_inference
from udfs.scoring.row_scorer import RowScorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import Model, ModelSpec

__all__ = ["WAYS", "Scored", "arguments_of", "bits_of", "score"]

WAYS = ("batches", "rows")
_INSTEAD_OF_NULL = {"string": "", "bool": False}
Scored = tuple[tuple[Any, ...], str | None]
"""A row's outputs and the reason that goes with them."""


def score(way: str, model: Model, rows: Sequence[Sequence[Any]]) -> list[Scored]:
    """Return each row's outputs, None for NULL, and its error; `rows` have a value for each input."""
    given = [arguments_of(model.spec, row) for row in rows]
    if way == "batches":
        return _in_a_batch(model, given)
    scorer = RowScorer(model)
    try:
        return [(tuple(values), why) for values, why in map(scorer.score, given)]
    finally:
        scorer.close()


def arguments_of(spec: ModelSpec, row: Sequence[Any]) -> list[Any]:
    """Return the values that `argument_sql` makes of a row."""
    arguments: list[Any] = []
    for given, value in zip(spec.inputs, row, strict=True):
        if given.dtype.startswith("float"):
            arguments.append(value)
        else:
            arguments += [_INSTEAD_OF_NULL.get(given.dtype, 0) if value is None else value, value is None]
    return arguments


def bits_of(scored: Sequence[Scored]) -> list[Any]:
    """Return what two lists have in common if and only if they are the same to the bit: -0.0 is not 0.0, 1 not True."""
    return [([(type(v), struct.pack(">d", v) if isinstance(v, float) else v) for v in row], why) for row, why in scored]


def _in_a_batch(model: Model, rows: list[list[Any]]) -> list[Scored]:
    found = run_inference([*columns_of(model.spec.inputs, _columns(rows), len(rows))], model)
    outputs = [[_sql(value) for value in with_nulls(column).tolist()] for column in found.outputs]
    errors = [None] * len(rows) if found.error is None else found.error.tolist()
    return [*zip(zip(*outputs, strict=True), errors, strict=True)]


def _columns(rows: list[list[Any]]) -> Iterator[NDArray[Any]]:
    """Yield the columns as Arrow brings them, in the widest type of their kind."""
    for values in zip(*rows, strict=True):
        kinds = {type(value) for value in values} - {type(None)}
        plain = bool if kinds == {bool} else int if kinds == {int} else float
        yield np.array(values, object if str in kinds else plain)


def _sql(value: object) -> object:
    """Return a value as it is in SQL, where NaN comes back as NULL."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - only NaN does
