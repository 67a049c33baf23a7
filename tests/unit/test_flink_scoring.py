"""The scoring function as pyflink calls it, from Arrow to Arrow, without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyflink.fn_execution.coders import coder_impl
from pyflink.table.types import DataTypes
from pyflink.table.udf import FunctionContext

from tests.unit.onnx_models import bits, model_spec, run_directly
from udfs.flink.scoring import result_type, scoring_function
from udfs.scoring.model import Output

if TYPE_CHECKING:
    from udfs.scoring.model import ModelSpec

pytestmark = pytest.mark.usefixtures("pandas_again")

NO_METRICS = FunctionContext(None, {})
"""What a function gets with python.metric.enabled: false."""

ARROW = {"BIGINT": pa.int64(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "STRING": pa.string()}


def call(spec: ModelSpec, *arguments: Any) -> pa.StructArray:  # noqa: ANN401 - arrays, or a plain value for a constant
    """Call the function with Arrow arrays, and return its result as pyflink sends it: by both ways the same."""
    with_pandas, without = (_call(spec, arguments, pandas=pandas) for pandas in (True, False))
    assert without.equals(with_pandas)
    return without


def _call(spec: ModelSpec, arguments: tuple[Any, ...], *, pandas: bool) -> pa.StructArray:
    function = scoring_function(spec, pandas=pandas)._func  # noqa: SLF001 - what pyflink sends to a worker
    function.open(NO_METRICS)
    arrays = [argument for argument in arguments if isinstance(argument, pa.Array)]
    batch = pa.RecordBatch.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])
    given = coder_impl.arrow_to_pandas("UTC", [DataTypes.STRING()] * len(arrays), [batch])
    assert all(isinstance(column, pd.Series if pandas else np.ndarray) for column in given)
    columns = iter(given)
    result = function.eval(*[next(columns) if isinstance(a, pa.Array) else a for a in arguments])
    fields = [field.strip("ROW<>").split("` ") for field in result_type(spec).split(", ")]
    struct = pa.struct([(name.strip("`"), ARROW[kind]) for name, kind in fields])
    row = DataTypes.ROW([DataTypes.FIELD("f", DataTypes.STRING())])
    return coder_impl.pandas_to_arrow(pa.schema([("row", struct)]), "UTC", [row], [result]).column(0)


def test_result_type() -> None:
    spec = model_spec("string_label")
    assert result_type(spec) == "ROW<`label` STRING, `probabilities0` FLOAT, `probabilities1` FLOAT, `error` STRING>"


def test_floats_and_their_nulls() -> None:
    a = pa.array([1.5, None, -2.0], pa.float32())
    b = pa.array([0.25, 1.0, None], pa.float32())
    result = call(model_spec("columns"), a, b)
    assert result.field("error").to_pylist() == [None, "output `y` is NaN", "output `y` is NaN"]
    scores = result.field("y").to_pylist()
    assert scores[1:] == [None, None]
    assert np.float32(scores[0]) == np.float32(3) + np.sin(np.float32(0.25))


def test_no_error_is_a_null_for_each_row() -> None:
    result = call(model_spec("columns"), pa.array([1.0, 2.0], pa.float32()), pa.array([1.0, 2.0], pa.float32()))
    assert result.field("error").to_pylist() == [None, None]
    assert result.field("y").null_count == 0


def test_labels_keep_their_type_where_a_row_is_refused() -> None:
    """`strings` gives an int64 label: it must not become a float."""
    spec = model_spec("strings", null_inputs="refuse")
    carrier, delay = pa.array(["AA", "", "DL"]), pa.array([1.0, 2.0, 3.0], pa.float32())
    missing = pa.array([False, True, False])
    result = call(spec, carrier, missing, delay, delay)
    label, p0, p1 = run_directly(spec, [np.array(["AA", "DL"], object), *[np.array([1, 3], np.float32)] * 2])
    assert result.field("label").to_pylist() == [label[0], None, label[1]]
    assert result.field("probabilities1").to_pylist() == [p1[0], None, p1[1]]
    assert result.field("probabilities0").to_pylist() == [p0[0], None, p0[1]]
    assert result.field("error").to_pylist() == [None, "input `carrier` is NULL, and string has no NaN", None]


def test_int64_beyond_2_to_the_53_beside_a_null() -> None:
    spec = model_spec("every_dtype")
    spec = model_spec("every_dtype", outputs=(Output("n", "int64_out", None, "int64"),))
    rows = 3
    arguments: list[Any] = []
    for given in spec.inputs:
        if given.dtype == "int64":
            arguments += [pa.array([2**53 + 1, 0, -(2**63)]), pa.array([False, True, False])]
        elif given.dtype.startswith("float"):
            arguments.append(pa.array([0.0] * rows, pa.float64()))
        else:
            value = {"bool": True, "string": "x"}.get(given.dtype, 1)
            arguments += [pa.array([value] * rows), False]
    assert call(spec, *arguments).field("n").to_pylist() == [2**53 + 1, None, -(2**63)]


@pytest.mark.parametrize("constant", [0.75, None])
def test_constants_come_as_plain_values(constant: float | None) -> None:
    """Flink folds `CAST(0.75 AS FLOAT)`, and a column that WHERE pins to a value, into a literal."""
    a = np.array([1.5, 2.5], np.float32)
    b = np.full(2, np.nan if constant is None else constant, np.float32)
    [expected] = run_directly(model_spec("columns"), [a, b])
    result = call(model_spec("columns"), pa.array(a), constant)
    assert bits(result.field("y").to_numpy(zero_copy_only=False)) == bits(expected)


def test_constants_alone_have_no_length() -> None:
    function = scoring_function(model_spec("columns"))._func  # noqa: SLF001
    function.open(NO_METRICS)
    with pytest.raises(ValueError, match="model columns: all inputs are constants"):
        function.eval(0.5, 0.75)


def test_an_empty_batch() -> None:
    empty = pd.Series([], dtype="float32")
    function = scoring_function(model_spec("columns"))._func  # noqa: SLF001
    function.open(NO_METRICS)
    assert len(function.eval(empty, empty)) == 0
