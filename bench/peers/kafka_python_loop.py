"""The same loop with what comes to mind first: kafka-python and the standard library's json. At least once, JSON."""

from __future__ import annotations

import argparse
import json
import time
from multiprocessing import Process

import numpy as np
import onnxruntime
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

PROCESSES = 2
FEATURES = [f"x{i}" for i in range(16)]


def run(number: int, options: argparse.Namespace) -> None:
    """Score each partition whose number falls to this process, up to what is its end now."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    model = onnxruntime.InferenceSession(options.model, settings)
    name = model.get_inputs()[0].name
    consumer = KafkaConsumer(
        bootstrap_servers=options.broker,
        group_id=f"kafka-python-{options.sink}",
        enable_auto_commit=False,
        max_poll_records=1000,
    )
    producer = KafkaProducer(bootstrap_servers=options.broker, linger_ms=50, batch_size=1_000_000)
    numbers = consumer.partitions_for_topic(options.source)
    mine = [TopicPartition(options.source, partition) for partition in numbers if partition % PROCESSES == number]
    consumer.assign(mine)
    consumer.seek_to_beginning()
    end = consumer.end_offsets(mine)
    committed = time.monotonic()
    while any(consumer.position(partition) < end[partition] for partition in mine):
        polled = consumer.poll(timeout_ms=50).values()
        rows = [json.loads(record.value) for records in polled for record in records]
        if rows:
            x = np.array([[row[feature] for feature in FEATURES] for row in rows], np.float32)
            for row, (y,) in zip(rows, model.run(None, {name: x})[0].tolist(), strict=True):
                producer.send(options.sink, json.dumps({"id": row["id"], "sent_us": row["sent_us"], "y": y}).encode())
        if time.monotonic() > committed + options.commit_every:
            producer.flush()
            consumer.commit()
            committed = time.monotonic()
    producer.flush()
    consumer.commit()
    consumer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("broker", "source", "sink", "model"):
        parser.add_argument(argument)
    parser.add_argument("--commit-every", type=float, default=5.0, help="seconds")
    chosen = parser.parse_args()
    workers = [Process(target=run, args=(number, chosen)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        parser.exit(1, "a process failed\n")
