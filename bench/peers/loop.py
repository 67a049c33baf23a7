"""Score the existing records of a topic into another one, in a plain loop: two processes divide the partitions."""

from __future__ import annotations

import argparse
import io
import time
from itertools import chain
from multiprocessing import Process
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import fastavro
import numpy as np
import onnxruntime
import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = 2
BATCH = 1000  # records, at most
FEATURES = [f"x{i}" for i in range(16)]


def avro(name: str, fields: dict[str, str]) -> Any:  # noqa: ANN401 - fastavro's parsed schema
    """Return a schema of fields that may each be null, as Flink writes and expects it."""
    columns = [{"name": column, "type": ["null", kind]} for column, kind in fields.items()]
    return fastavro.parse_schema({"type": "record", "name": name, "fields": columns})


EVENT = avro("event", {"id": "long", "sent_us": "long", **dict.fromkeys(FEATURES, "float")})
SCORE = avro("score", {"id": "long", "sent_us": "long", "y": "float"})


def read_avro(value: bytes) -> Any:  # noqa: ANN401 - a record
    """Decode a record that has no schema."""
    return fastavro.schemaless_reader(io.BytesIO(value), EVENT, None)


def write_avro(score: dict[str, Any]) -> bytes:
    """Encode a score without its schema."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCORE, score)
    return out.getvalue()


CODECS: dict[str, tuple[Callable[[bytes], Any], Callable[[dict[str, Any]], bytes]]] = {
    "json": (orjson.loads, orjson.dumps),
    "avro": (read_avro, write_avro),
}


def run(number: int, options: argparse.Namespace) -> None:  # noqa: C901 - one loop, from top to bottom
    """Score each partition of this process, to its end."""
    decode, encode = CODECS[options.format]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    model = onnxruntime.InferenceSession(options.model, settings)
    name = model.get_inputs()[0].name
    features = itemgetter(*FEATURES)
    consumer = Consumer(
        {
            "bootstrap.servers": options.broker,
            "group.id": f"loop-{options.sink}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 10,
            "queued.min.messages": 200_000,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": options.broker,
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 500_000,
            **({"transactional.id": f"loop-{options.sink}-{number}"} if options.exactly_once else {}),
        }
    )

    def commit() -> None:
        done = [partition for partition in consumer.position(consumer.assignment()) if partition.offset >= 0]
        if options.exactly_once:
            producer.send_offsets_to_transaction(done, consumer.consumer_group_metadata())
            producer.commit_transaction()
            producer.begin_transaction()
        else:
            producer.flush()
            consumer.commit(offsets=done, asynchronous=False)

    partitions = consumer.list_topics(options.source).topics[options.source].partitions
    unfinished = {partition for partition in partitions if partition % PROCESSES == number}
    consumer.assign([TopicPartition(options.source, partition, OFFSET_BEGINNING) for partition in unfinished])
    if options.exactly_once:
        producer.init_transactions()
        producer.begin_transaction()
    committed = time.monotonic()
    while unfinished:
        records = []
        for message in consumer.consume(BATCH, timeout=0.05):
            if not message.error():
                records.append(decode(message.value()))
            elif message.error().code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the documented name
                unfinished.discard(message.partition())
            else:
                raise KafkaException(message.error())
        if records:
            flat = chain.from_iterable(map(features, records))
            x = np.fromiter(flat, np.float32, len(records) * len(FEATURES)).reshape(-1, len(FEATURES))
            for record, y in zip(records, model.run(None, {name: x})[0][:, 0].tolist(), strict=True):
                producer.produce(options.sink, encode({"id": record["id"], "sent_us": record["sent_us"], "y": y}))
        producer.poll(0)
        while len(producer) > 200_000:  # noqa: PLR2004 - not so many that produce() would refuse
            producer.poll(0.01)
        if time.monotonic() > committed + options.commit_every:
            commit()
            committed = time.monotonic()
    commit()
    if options.exactly_once:
        producer.abort_transaction()  # the empty one
    consumer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("broker", "source", "sink", "model"):
        parser.add_argument(argument)
    parser.add_argument("--format", choices=CODECS, default="json")
    parser.add_argument("--exactly-once", action="store_true")
    parser.add_argument("--commit-every", type=float, default=5.0, help="seconds")
    chosen = parser.parse_args()
    workers = [Process(target=run, args=(number, chosen)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        parser.exit(1, "a process failed\n")
