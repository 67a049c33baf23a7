"""Score what is in a Kafka topic into another one with Quix Streams, a record at a time, in two processes."""

from __future__ import annotations

import argparse
from multiprocessing import Process
from typing import Any

import numpy as np
import onnxruntime
from quixstreams import Application

PROCESSES = 2
FEATURES = [f"x{i}" for i in range(16)]
QUIET_SECONDS = 5.0  # without a record: all have been read


def run(options: argparse.Namespace) -> None:
    """Score the partitions that Kafka gives to this process."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    model = onnxruntime.InferenceSession(options.model, settings)
    name = model.get_inputs()[0].name

    def score(row: dict[str, Any]) -> dict[str, Any]:
        x = np.array([[row[feature] for feature in FEATURES]], np.float32)
        return {"id": row["id"], "sent_us": row["sent_us"], "y": model.run(None, {name: x})[0].item()}

    application = Application(
        broker_address=options.broker,
        consumer_group=f"quix-{options.sink}",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once" if options.exactly_once else "at-least-once",
        commit_interval=options.commit_every,
    )
    source = application.topic(options.source, value_deserializer="json")
    sink = application.topic(options.sink, value_serializer="json")
    application.dataframe(source).apply(score).to_topic(sink)
    application.run(timeout=QUIET_SECONDS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("broker", "source", "sink", "model"):
        parser.add_argument(argument)
    parser.add_argument("--exactly-once", action="store_true")
    parser.add_argument("--commit-every", type=float, default=5.0, help="seconds")
    chosen = parser.parse_args()
    workers = [Process(target=run, args=(chosen,)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        parser.exit(1, "a process failed\n")
