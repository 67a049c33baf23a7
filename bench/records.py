"""The benches' input: records of generated floats, sixteen by default, the same each time, JSON or Avro."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from rich.progress import track

from bench import avro
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from bench.peers.contestants import Form

__all__ = ["COLUMNS", "avro_records", "delete_topic", "fill", "json_records"]

COLUMNS = 16
"""Floats of a record."""

_PARTITIONS = 4
_SEED = 20130401
_CHUNK = 10_000  # records made at once


def json_records(first: int, count: int, sent_us: int, floats: int = COLUMNS) -> list[bytes]:
    """Return records `first` ... `first + count - 1` as JSON; their features are normal, to four decimals."""
    rows = np.random.default_rng([_SEED, first]).normal(size=(count, floats)).tolist()
    features = ",".join(f'"x{i}":%.4f' for i in range(floats))
    template = f'{{"id":%d,"sent_us":%d,{features}}}'
    return [(template % (first + i, sent_us, *row)).encode() for i, row in enumerate(rows)]


def avro_records(first: int, count: int, sent_us: int, floats: int = COLUMNS) -> list[bytes]:
    """Return the same records as Avro: a record is its fields, one after the other; floats have a fixed length.

    Field by field, two million records take fastavro a minute and a half.
    """
    rows = np.random.default_rng([_SEED, first]).normal(size=(count, floats))
    features = np.empty(rows.shape, [("branch", "u1"), ("value", "<f4")])  # of the union of null and float
    features["branch"] = avro.VALUE
    features["value"] = rows.round(4)
    heads = (avro.encode(avro.HEAD, {"id": first + i, "sent_us": sent_us}) for i in range(count))
    return [head + row.tobytes() for head, row in zip(heads, features, strict=True)]


def _spoil(record: bytes, number: int, every: int) -> bytes:
    """Return a record, or, of each `every`th, in turn one that is cut off and one whose first feature is 1000."""
    if not every or number % every:
        return record
    if number % (2 * every):
        return record[: len(record) // 2]
    return record.replace(b'"x0":', b'"x0":1000,"was":')


def fill(bootstrap: str, count: int, every: int = 0, form: Form = "json", floats: int = COLUMNS) -> str:
    """Return the name of the topic that holds so many records, filled if necessary; each `every`th is invalid.

    Raises KafkaError if no broker answers or it refuses the records.
    """
    topic = f"records-{count}" + (f"-{every}" if every else "") + (f"-{form}" if form != "json" else "")
    topic += f"-x{floats}" if floats != COLUMNS else ""
    make = {"json": json_records, "avro": avro_records}[form]
    there = {found.name: found.records for found in topics.list_topics(bootstrap)}
    if there.get(topic) == count:
        return topic
    if topic in there:  # an earlier filling was cut short
        delete_topic(bootstrap, topic)
    topics.create(bootstrap, {topic: _PARTITIONS})
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 20 * _CHUNK,
        }
    )
    now = time.time_ns() // 1000
    for first in track(range(0, count, _CHUNK), f"filling {topic}"):
        for i, record in enumerate(make(first, min(_CHUNK, count - first), now, floats)):
            producer.produce(topic, _spoil(record, first + i, every), partition=i % _PARTITIONS)
        while len(producer) > 10 * _CHUNK:
            producer.poll(0.1)
    producer.flush()
    return topic


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic if it exists."""
    if any(found.name == topic for found in topics.list_topics(bootstrap)):
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 4})  # in a variable: its requests end with it
        admin.delete_topics([topic])[topic].result()
