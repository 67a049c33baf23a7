"""What a written value means in a column of a SQL type."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyflink_jobs.testkit.values import EPOCH, from_flink, is_known, read_value, shown, to_json


@pytest.mark.parametrize(
    ("text", "sql_type", "value"),
    [
        ("EWR", "STRING", "EWR"),
        ("0515", "VARCHAR(4)", "0515"),
        ("True", "BOOLEAN", True),
        ("-128", "TINYINT", -128),
        ("20", "INT", 20),
        ("1364810520000", "BIGINT", 1364810520000),
        ("2013-04-01T10:02:00Z", "BIGINT", 1364810520000),  # date -u -d 2013-04-01T10:02:00Z +%s
        ("2013-04-01T06:02:00-04:00", "BIGINT", 1364810520000),
        ("0.5", "DOUBLE", 0.5),
        (".nan", "DOUBLE", math.nan),
        ("-.inf", "FLOAT", -math.inf),
        ("20.50", "DECIMAL(5, 2)", Decimal("20.5")),
        ("2013-04-01T10:02:00.5Z", "TIMESTAMP_LTZ(3)", datetime(2013, 4, 1, 10, 2, 0, 500_000, UTC)),
        ("2013-04-01T10:02:00", "TIMESTAMP(3)", datetime(2013, 4, 1, 10, 2)),  # noqa: DTZ001 - a TIMESTAMP has no zone
        ("2013-04-01", "DATE", date(2013, 4, 1)),
        ("10:02:00", "TIME(0)", time(10, 2)),
    ],
)
def test_a_text_is_read_by_the_type_of_its_column(text: str, sql_type: str, value: object) -> None:
    read = read_value(text, sql_type)
    assert read is value or read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "sql_type", "example"),
    [
        ("soon", "BIGINT", "2013-04-01T10:02:00Z"),
        ("2013-04-01T10:02:00", "BIGINT", "as an instant"),
        ("2147483648", "INT", "20"),
        ("20.5", "INT", "20"),
        ("yes", "BOOLEAN", "true or false"),
        ("1e39", "FLOAT", "20.5"),
        ("nan", "DECIMAL(5, 2)", "20.50"),
        ("2013-04-01T10:02:00", "TIMESTAMP_LTZ(3)", "with its zone"),
        ("2013-04-01T10:02:00Z", "TIMESTAMP(3)", "without a zone"),
    ],
)
def test_a_text_of_the_wrong_type_gets_an_example(text: str, sql_type: str, example: str) -> None:
    with pytest.raises(ValueError, match=sql_type.replace("(", r"\(").replace(")", r"\)")) as caught:
        read_value(text, sql_type)
    assert text in str(caught.value)
    assert example in str(caught.value)


def test_null_is_null_in_every_type() -> None:
    assert read_value(None, "INT") is None
    assert from_flink(None, "TIMESTAMP_LTZ(3)") is None
    assert to_json(None) is None
    assert shown(None, "INT") == "NULL"


@given(st.floats(width=32) | st.floats(-3e38, 3e38))
@example(float(np.finfo(np.float32).max))
def test_a_float_is_the_float32_that_numpy_rounds_to_and_is_shown_as_short_as_numpy_shows_it(number: float) -> None:
    read = read_value(repr(number), "FLOAT")
    assert isinstance(read, float)
    np.testing.assert_equal(np.float64(read), np.float64(np.float32(number)))
    np.testing.assert_equal(np.float32(shown(read, "FLOAT")), np.float32(number))
    if math.isfinite(number):
        assert float(shown(read, "FLOAT")) == float(str(np.float32(number)))


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_being_shown_and_given_to_flink(moment: datetime) -> None:
    assert read_value(shown(moment, "TIMESTAMP_LTZ(6)"), "TIMESTAMP_LTZ(6)") == moment
    assert from_flink(json.dumps(to_json(moment)), "TIMESTAMP_LTZ(6)") == moment


def test_an_epoch_that_was_written_as_an_instant_is_shown_as_one() -> None:
    assert shown(1364810520000, EPOCH) == "2013-04-01T10:02:00Z"
    assert shown(1364810520001, EPOCH) == "2013-04-01T10:02:00.001Z"
    assert shown(1364810520000, "BIGINT") == "1364810520000"


def test_floats_that_json_has_not_go_as_java_writes_them() -> None:
    assert [to_json(v) for v in (math.nan, math.inf, -math.inf)] == ["NaN", "Infinity", "-Infinity"]


def test_types_that_a_test_cannot_write() -> None:
    assert not any(map(is_known, ("ARRAY<INT>", "ROW<a INT>", "MAP<STRING, INT>", "BYTES")))
