"""The benches' records in Avro, without a schema, as Flink's format `avro` reads and writes them."""

from __future__ import annotations

import io
from typing import Any

import fastavro

__all__ = ["EVENT", "HEAD", "SCORE", "VALUE", "decode", "encode"]

VALUE = 2
"""The byte before a value that may be null and is not."""


def _schema(name: str, fields: dict[str, str]) -> Any:  # noqa: ANN401 - fastavro's parsed schema
    columns = [{"name": column, "type": ["null", kind]} for column, kind in fields.items()]  # a column may be NULL
    return fastavro.parse_schema({"type": "record", "name": name, "fields": columns})


EVENT = _schema("event", {"id": "long", "sent_us": "long", **{f"x{i}": "float" for i in range(16)}})
HEAD = _schema("head", {"id": "long", "sent_us": "long"})
SCORE = _schema("score", {"id": "long", "sent_us": "long", "y": "float"})


def encode(schema: Any, record: dict[str, Any]) -> bytes:  # noqa: ANN401 - see above
    """Return a record's bytes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def decode(schema: Any, value: bytes) -> Any:  # noqa: ANN401 - see above
    """Return the record of these bytes."""
    return fastavro.schemaless_reader(io.BytesIO(value), schema, None)
