"""The benches' input: records of sixteen made-up floats, the same ones each time, as JSON or Avro."""

from __future__ import annotations

import json
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

__all__ = ["COLUMNS", "delete_topic", "fill", "json_records"]

COLUMNS = 16
_PARTITIONS = 4
_SEED = 20130401
_CHUNK = 10_000  # records made at once
_FEATURES = ",".join(f'"x{i}":%.4f' for i in range(COLUMNS))
_TEMPLATE = f'{{"id":%d,"sent_us":%d,{_FEATURES}}}'


def json_records(first: int, count: int, sent_us: int) -> list[bytes]:
    """Return records `first` ... `first + count - 1` as JSON; their features are normal, to four decimals."""
    rows = np.random.default_rng([_SEED, first]).normal(size=(count, COLUMNS)).tolist()
    return [(_TEMPLATE % (first + i, sent_us, *row)).encode() for i, row in enumerate(rows)]


def _avro_records(first: int, count: int, sent_us: int) -> list[bytes]:
    """Return the same records as Avro."""
    return [avro.encode(avro.EVENT, json.loads(record)) for record in json_records(first, count, sent_us)]


def _spoil(record: bytes, number: int, every: int) -> bytes:
    """Return a record, or, of each `every`th, in turn one that is cut off and one whose first feature is 1000."""
    if not every or number % every:
        return record
    if number % (2 * every):
        return record[: len(record) // 2]
    return record.replace(b'"x0":', b'"x0":1000,"was":')


def fill(bootstrap: str, count: int, every: int = 0, form: Form = "json") -> str:
    """Return the name of the topic that holds so many records, filled if it does not yet; each `every`th is bad.

    Raises KafkaError where no broker answers or it does not take the records.
    """
    topic = f"records-{count}" + (f"-{every}" if every else "") + (f"-{form}" if form != "json" else "")
    make = {"json": json_records, "avro": _avro_records}[form]
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
        for i, record in enumerate(make(first, min(_CHUNK, count - first), now)):
            producer.produce(topic, _spoil(record, first + i, every), partition=i % _PARTITIONS)
        while len(producer) > 10 * _CHUNK:
            producer.poll(0.1)
    producer.flush()
    return topic


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic if it is there."""
    if any(found.name == topic for found in topics.list_topics(bootstrap)):
        admin = AdminClient({"bootstrap.servers": bootstrap})  # kept: what it has begun dies with it
        admin.delete_topics([topic])[topic].result()
