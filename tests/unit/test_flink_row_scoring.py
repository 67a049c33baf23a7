"""The scoring function that Flink calls in its JVM, and the vectorised one: the same fields for the same arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pyflink.table.udf import FunctionContext

from tests.both_ways import arguments_of
from tests.unit.onnx_models import model_spec
from udfs.flink.riding import riding_function
from udfs.flink.row_scoring import row_result_type, row_scoring_function
from udfs.flink.scoring import result_type, scoring_function
from udfs.nulls import with_nulls
from udfs.scoring import worker_memory

if TYPE_CHECKING:
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from udfs.scoring.model import ModelSpec

pytestmark = pytest.mark.usefixtures("pandas_again")
CONTEXT = FunctionContext(None, {})


class Sum:
    """A rider that sums up all columns and its own argument, and counts batches: NULL where that is even."""

    arguments = ("int64",)
    fields: ClassVar = {"_sum": "DOUBLE", "_text": "STRING"}

    def load(self) -> Sum:
        return self

    def ride(self, columns: dict[str, Any], arguments: list[Any]) -> dict[str, Any]:
        [own] = arguments
        assert list(columns) == ["a", "b", "y"]
        sums = sum(np.nan_to_num(with_nulls(column)) for column in columns.values()) + own
        return {"_sum": sums, "_text": np.array([None if n % 2 == 0 else str(n) for n in own], object)}


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch no memory: this process is not the function's."""
    monkeypatch.setattr(worker_memory, "_watching", [None])


def in_batches(function: UserDefinedScalarFunctionWrapper, rows: list[list[Any]]) -> list[list[Any]]:
    """Return the fields that a vectorised function returns for rows of arguments."""
    vectorised = function._func  # noqa: SLF001 - what pyflink sends to a worker
    vectorised.open(CONTEXT)
    frame = vectorised.eval(*(pd.Series(column) for column in zip(*rows, strict=True))).astype(object)
    fields: list[list[Any]] = frame.where(frame.notna(), None).to_numpy().tolist()
    return fields


def one_by_one(spec: ModelSpec, rows: list[list[Any]]) -> list[list[Any]]:
    """Return the fields that the function of single rows returns."""
    function = row_scoring_function(spec)._func  # noqa: SLF001
    function.open(CONTEXT)
    fields = [list(function.eval(*arguments)) for arguments in rows]
    function.close()
    return fields


def test_numbers_have_the_widest_types() -> None:
    """Of any other type, a NULL in a ROW ends the job in Flink 2.3."""
    found = row_result_type(model_spec("every_dtype"))
    assert set(re.findall(r"` (\w+)", found)) == {"BIGINT", "DOUBLE", "BOOLEAN", "STRING"}
    assert re.findall(r"`(\w+)`", found) == re.findall(r"`(\w+)`", result_type(model_spec("every_dtype")))


def test_fields_of_every_type_and_refusals() -> None:
    spec = model_spec("strings", null_inputs="refuse")
    rows = [arguments_of(spec, row) for row in (["AA", 1.5, 2.0], [None, 1.5, 2.0], ["DL", None, 2.0], ["", 0.0, 0.0])]
    single = one_by_one(spec, rows)
    assert single == in_batches(scoring_function(spec), rows)
    assert [row[-1] for row in single] == [
        None, "input `carrier` is NULL, and string has no NaN", "input `delay` is NULL or NaN", None,
    ]  # fmt: skip
    assert [type(value) for value in single[0]] == [int, float, float, type(None)]


def test_riders_see_the_same_columns_behind_the_scores_as_beside_them() -> None:
    spec = model_spec("columns")
    riders: tuple[Any, ...] = (Sum(),)
    rows: list[list[Any]] = [[1.0, 0.5, 3], [None, 0.5, 4], [2.0, -0.5, 5], [1e39, 0.5, 6]]
    beside = in_batches(scoring_function(spec, riders), rows)
    scored = one_by_one(spec, [row[:2] for row in rows])
    behind = in_batches(
        riding_function(spec, riders, pandas=True),
        [[*row, score[0]] for row, score in zip(rows, scored, strict=True)],
    )
    assert [[*score, *row[2:]] for score, row in zip(scored, behind, strict=True)] == beside
    assert [row[-1] for row in beside] == ["3", None, "5", None]
    assert [row[2] for row in beside[1::2]] == [4.5, 6.5]


def test_memory_is_watched_from_the_first_model_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[int] = []
    monkeypatch.setattr("udfs.flink.row_scoring.watch_memory", bounds.append)
    function = row_scoring_function(model_spec("columns", worker_memory=2**30))._func  # noqa: SLF001
    function.open(CONTEXT)
    function.close()
    [bound] = bounds
    assert 2**30 < bound < 2**30 + 2 * worker_memory.resident_bytes()
