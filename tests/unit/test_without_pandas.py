"""Batches without pandas, through PyFlink's own coder: a change of that must be seen here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyflink.fn_execution.coders import ArrowCoder
from pyflink.table.types import DataTypes

from udfs.flink.without_pandas import skip_pandas

pytestmark = pytest.mark.usefixtures("pandas_again")

INPUTS = pa.schema([("f", pa.float32()), ("d", pa.float64()), ("n", pa.int64()), ("s", pa.utf8()), ("b", pa.bool_())])
ROW = pa.struct([("y", pa.float32()), ("n", pa.int64()), ("error", pa.utf8()), ("parts", pa.list_(pa.binary()))])
OUTPUTS = pa.schema([("row", ROW)])
FIELDS = [DataTypes.FLOAT(), DataTypes.DOUBLE(), DataTypes.BIGINT(), DataTypes.STRING(), DataTypes.BOOLEAN()]
IN_ROWS = DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in zip(INPUTS.names, FIELDS, strict=True)])
OUT_ROWS = DataTypes.ROW([DataTypes.FIELD("row", DataTypes.ROW([DataTypes.FIELD("any", DataTypes.FLOAT())]))])


def sent(schema: pa.Schema, columns: list[pa.Array]) -> bytes:
    """Return a batch as Flink sends it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return bytes(sink.getvalue())


def received(data: bytes) -> pa.RecordBatch:
    """Return a batch as Flink receives it."""
    return pa.ipc.open_stream(data).read_next_batch()


def test_columns_come_as_numpys_arrays_with_the_values_of_pandas() -> None:
    data = sent(
        INPUTS,
        [
            pa.array([1.5, None, float("inf")], pa.float32()),
            pa.array([0.1, float("nan"), None], pa.float64()),
            pa.array([2**53 + 1, 0, -(2**63)], pa.int64()),
            pa.array(["Ünï✈", None, ""]),
            pa.array([True, False, True]),
        ],
    )
    coder = ArrowCoder(INPUTS, IN_ROWS, "UTC").get_impl()
    series = coder.decode(data)
    assert all(type(column) is pd.Series for column in series)
    skip_pandas()
    arrays = coder.decode(data)
    assert [type(column) for column in arrays] == [np.ndarray] * 5
    for array, one in zip(arrays, series, strict=True):
        assert array.dtype == one.dtype
        assert [*map(repr, array)] == [*map(repr, one.to_numpy())]


def test_a_result_is_sent_as_that_of_pandas() -> None:
    columns = {
        "y": np.array([0.5, np.nan, np.inf], np.float32),
        "n": np.array([2**53 + 1, None, -(2**63)], object),
        "error": np.array([None, "Ünï✈", None], object),
        "parts": np.array([None, [b"a", b""], None], object),
    }
    coder = ArrowCoder(OUTPUTS, OUT_ROWS, "UTC").get_impl()
    of_pandas = received(coder.encode([pd.DataFrame(columns)]))
    assert of_pandas.num_rows == 3
    with pytest.raises(AttributeError, match="isnull"):  # so what follows is no longer PyFlink's own way
        coder.encode([columns])
    skip_pandas()
    assert received(coder.encode([columns])).equals(of_pandas)
    assert received(coder.encode([pd.DataFrame(columns)])).equals(of_pandas)  # another function's result


def test_an_empty_batch_has_its_columns() -> None:
    skip_pandas()
    coder = ArrowCoder(OUTPUTS, OUT_ROWS, "UTC").get_impl()
    nothing = {"y": np.empty(0, np.float32), **{name: np.empty(0, object) for name in ("n", "error", "parts")}}
    batch = received(coder.encode([nothing]))
    assert batch.num_rows == 0
    assert batch.schema == OUTPUTS
