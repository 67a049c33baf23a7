"""Convert values between a test's text, Python, Flink's JSON and Flink's results, by SQL type.

A value is a bool, int, float, str, Decimal, datetime, date, time, or None for NULL. A FLOAT is the float32
nearest to the text; NaN is always the object `math.nan`, so that it equals itself in a tuple.
"""

from __future__ import annotations

import json
import math
import re
import struct
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EPOCH", "Value", "from_flink", "is_known", "is_number", "read_value", "selected", "shown", "to_json"]

Value = bool | int | float | str | Decimal | datetime | date | time | None

EPOCH = "BIGINT, shown as an instant"  # the type of a BIGINT column whose expected values are written as instants
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
_START = datetime(1970, 1, 1, tzinfo=UTC)
_YAML_FLOATS = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_JAVA_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def is_known(sql_type: str) -> bool:
    """Return whether values of a type can be written in a test: arrays, maps, rows and bytes cannot."""
    return _name(sql_type) in _READERS


def is_number(text: str) -> bool:
    """Return whether a text is a whole number, rather than an instant."""
    return re.fullmatch(r"[+-]?\d+", text) is not None


def read_value(text: str | None, sql_type: str) -> Value:
    """Return the value of a text in a column of a type.

    In a BIGINT column an ISO instant is epoch milliseconds. Raises ValueError with an example of the type.
    """
    if text is None:
        return None
    read, example = _READERS[_name(sql_type)]
    try:
        return read(text)
    except (ValueError, ArithmeticError):
        raise ValueError(f"`{text}` is not a {sql_type}, which is written as {example}") from None


def to_json(value: Value) -> bool | int | float | str | None:
    """Return the JSON value that Flink reads as this value."""
    if isinstance(value, float) and not math.isfinite(value):
        return _JAVA_FLOATS[str(value)]
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def selected(column: str, sql_type: str) -> str:
    """Return the SQL that selects a column, a name in backticks, for `from_flink`.

    PyFlink cannot return a TIMESTAMP_LTZ and cuts a TIMESTAMP to milliseconds; as JSON they are complete.
    """
    return f"JSON_STRING({column})" if _name(sql_type).startswith("TIMESTAMP") else column


def from_flink(cell: Any, sql_type: str) -> Value:  # noqa: ANN401 - PyFlink's values have no types
    """Return a cell of a result as a value."""
    if cell is None:
        return None
    name = _name(sql_type)
    if name.startswith("TIMESTAMP"):
        return read_value(json.loads(cell), sql_type)
    if name in ("FLOAT", "DOUBLE"):
        return _READERS[name][0](repr(float(cell)))
    value: Value = cell
    return value


def shown(value: Value, sql_type: str) -> str:
    """Return a value as it is written in a test."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _iso(value)
    if sql_type == EPOCH and isinstance(value, int):
        return _iso(_START + timedelta(milliseconds=value))
    if _name(sql_type) == "FLOAT" and isinstance(value, float) and math.isfinite(value):
        return _shortest(value)
    return str(value)


def _name(sql_type: str) -> str:
    """Return a type's name: DECIMAL for DECIMAL(5, 2)."""
    return re.split(r"[(<, ]", sql_type, maxsplit=1)[0]


def _iso(moment: datetime) -> str:
    text = moment.isoformat(timespec="auto").replace("+00:00", "Z")
    return re.sub(r"(\.\d{3})000", r"\1", text)


def _integer(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if bits == _BITS["BIGINT"] and not is_number(text):
            return (_instant(text) - _START) // timedelta(milliseconds=1)
        value = int(text)
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(text)
        return value

    return read


def _double(text: str) -> float:
    value = float(_YAML_FLOATS.get(text.lower(), text))
    return math.nan if math.isnan(value) else value


def _float32(text: str) -> float:
    value = _double(text)
    if math.isnan(value):
        return value
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


def _shortest(value: float) -> str:
    """Return the shortest text of a float32."""
    for digits in range(1, 9):
        text = repr(float(f"{value:.{digits}g}"))
        with suppress(OverflowError):  # the largest float32, rounded up, is too large
            if _float32(text) == value:
                return text
    return repr(float(f"{value:.9g}"))


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise InvalidOperation
    return value


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(text)
    return value.astimezone(UTC)


def _local(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is not None:
        raise ValueError(text)
    return value


_INSTANT_EXAMPLE = "2013-04-01T10:02:00Z"
# SQL type -> the function that reads a text of that type, and an example.
_READERS: dict[str, tuple[Callable[[str], Value], str]] = {
    "STRING": (str, "text"),
    "VARCHAR": (str, "text"),
    "CHAR": (str, "text"),
    "BOOLEAN": (_boolean, "true or false"),
    **{name: (_integer(bits), "20") for name, bits in _BITS.items()},
    "BIGINT": (_integer(_BITS["BIGINT"]), f"20, or as an instant: {_INSTANT_EXAMPLE}"),
    "FLOAT": (_float32, "20.5"),
    "DOUBLE": (_double, "20.5"),
    "DECIMAL": (_decimal, "20.50"),
    "TIMESTAMP_LTZ": (_instant, f"{_INSTANT_EXAMPLE}, with its zone"),
    "TIMESTAMP": (_local, "2013-04-01T10:02:00, without a zone"),
    "DATE": (date.fromisoformat, "2013-04-01"),
    "TIME": (time.fromisoformat, "10:02:00"),
}
