"""A topic's records as a table."""

from __future__ import annotations

from io import BytesIO
from time import monotonic
from typing import TYPE_CHECKING

import pyarrow as pa
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from pyarrow import json as arrow_json

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    import pandas as pd

__all__ = ["read_table"]

_AT_ONCE = 10_000  # records
_POLL = 0.1  # seconds until fewer are returned
_PATIENCE = 20.0  # seconds without a record


def read_table(
    bootstrap: str, topic: str, fields: Mapping[str, pa.DataType], without: Container[tuple[int, int]] = ()
) -> pd.DataFrame:
    """Read these fields of a topic's JSON records, oldest first; other fields are left out.

    So are records whose partition and offset are in `without`.

    Raises KafkaError where no broker answers or the topic is missing or has other records.
    """
    schema = pa.schema([*fields.items()])
    values = _values(bootstrap, topic, without)
    if not values:
        return schema.empty_table().to_pandas()
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        return arrow_json.read_json(BytesIO(b"\n".join(values)), parse_options=options).to_pandas()
    except pa.ArrowInvalid as error:
        raise KafkaError(
            f"topic `{topic}` has records that are not the demo's: {error}",
            fixes=(f"show them: millstream peek {topic}", "start over: millstream demo"),
        ) from error


def _values(bootstrap: str, topic: str, without: Container[tuple[int, int]]) -> list[bytes]:
    """Return the values of a topic's records, oldest first: by a client in C, a fifth of a report's time."""
    ends = {part: end for part, (begin, end) in topics.bounds(bootstrap, topic).items() if begin < end}
    options = {
        "bootstrap.servers": bootstrap,
        "group.id": "demo",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 10,
    }
    consumer = Consumer({**options, "isolation.level": "read_committed", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, part, OFFSET_BEGINNING) for part in ends])
    found: list[tuple[int, int, int, bytes]] = []
    last = monotonic()
    while ends:
        messages = consumer.consume(_AT_ONCE, _POLL)
        last = monotonic() if messages else last
        if monotonic() - last > _PATIENCE:
            raise KafkaError(f"Kafka at {bootstrap} does not answer", fixes=("see its log: millstream status",))
        for message in messages:
            part, offset, value = message.partition(), message.offset(), message.value()
            if message.error():
                ends.pop(part, None)
            elif value and (part, offset) not in without:
                found.append((message.timestamp()[1], part, offset, value))
    consumer.close()
    return [value for *_, value in sorted(found)]
