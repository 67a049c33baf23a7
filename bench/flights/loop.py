"""The flights' job as a loop in Python: the same windows and joins, and the same model. It reads topics to their ends.

One process, because windows need all partitions in the order of time. It checks no record and keeps none aside, has no
monitor, and forgets its windows when it ends.
"""

from __future__ import annotations

import argparse
import heapq
import math
from bisect import bisect_right
from collections import defaultdict, deque
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import onnxruntime
import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Features"]

BATCH = 1000  # flights scored at once
MINUTE = 60_000  # milliseconds
OUT_OF_ORDER = 5 * MINUTE
NEW_YORK = ZoneInfo("America/New_York")
SKY = ("temp", "wind_speed", "precip", "visib")


class Features:
    """What is remembered of departures and weather; flights come in any order, and leave in the order of time."""

    def __init__(self, weather: Iterable[dict[str, Any]]) -> None:
        self._sky: dict[str, tuple[list[int], list[list[float]]]] = defaultdict(lambda: ([], []))
        for w in sorted(weather, key=lambda w: w["observed_ms"]):
            times, values = self._sky[w["origin"]]
            times.append(w["observed_ms"])
            values.append([math.nan if w[name] is None else w[name] for name in SKY])
        self._waiting: list[tuple[int, int, dict[str, Any]]] = []
        self._taken = 0
        self._newest: dict[int, int] = {}  # by partition
        self._carriers: dict[str, deque[tuple[int, int]]] = defaultdict(deque)
        self._delays: dict[str, int] = defaultdict(int)
        self._origins: dict[str, deque[tuple[int, int]]] = defaultdict(deque)

    def add(self, flight: dict[str, Any], partition: int) -> None:
        """Add a flight of a partition."""
        self._taken += 1
        heapq.heappush(self._waiting, (flight["departed_ms"], self._taken, flight))
        self._newest[partition] = max(self._newest.get(partition, 0), flight["departed_ms"])

    def complete(self, partitions: set[int]) -> Iterator[tuple[dict[str, Any], list[float]]]:
        """Yield flights before which no further one can be, with their features; `partitions` have not ended."""
        watermark = min((self._newest.get(p, 0) - OUT_OF_ORDER for p in partitions), default=math.inf)
        ready = []
        while self._waiting and self._waiting[0][0] < watermark:
            ready.append(heapq.heappop(self._waiting)[2])
        for now, flights in groupby(ready, key=lambda flight: flight["departed_ms"]):
            together = [*flights]
            for flight in together:
                self._count(now, flight)
            for flight in together:
                yield flight, self._features(now, flight)

    def _count(self, now: int, flight: dict[str, Any]) -> None:
        carrier, delay = flight["carrier"], flight["dep_delay"]
        self._carriers[carrier].append((now, delay))
        self._delays[carrier] += delay
        self._origins[flight["origin"]].append((now, delay))

    def _features(self, now: int, flight: dict[str, Any]) -> list[float]:
        carrier, origin = flight["carrier"], flight["origin"]
        of_carrier = self._carriers[carrier]
        while of_carrier[0][0] < now - 180 * MINUTE:
            self._delays[carrier] -= of_carrier.popleft()[1]
        # The newest full five minutes: an hour that ends there, its end not included.
        end = (now + 1) // (5 * MINUTE) * (5 * MINUTE)
        of_origin = self._origins[origin]
        while of_origin[0][0] < end - 60 * MINUTE:
            of_origin.popleft()
        hour = [delay for at, delay in of_origin if at < end]
        scheduled = datetime.fromtimestamp(flight["scheduled_ms"] / 1000, UTC).astimezone(NEW_YORK)
        times, values = self._sky[origin]
        seen = bisect_right(times, now)
        return [
            flight["dep_delay"],
            flight["distance"],
            scheduled.hour,
            scheduled.isoweekday() % 7 + 1,
            len(hour),
            sum(hour) / len(hour) if hour else math.nan,
            sum(delay > 15 for delay in hour) / len(hour) if hour else math.nan,  # noqa: PLR2004 - minutes
            len(of_carrier),
            self._delays[carrier] / len(of_carrier),
            *(values[seen - 1] if seen else [math.nan] * len(SKY)),
        ]


def read(broker: str, topic: str) -> Iterator[tuple[list[Any], set[int]]]:
    """Yield a topic's messages, some at once, and the partitions that have not ended."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "loop", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    unfinished = set(consumer.list_topics(topic).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unfinished])
    while unfinished:
        messages = []
        for message in consumer.consume(BATCH, timeout=0.05):
            if not message.error():
                messages.append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the documented name
                unfinished.discard(message.partition())
            else:
                raise KafkaException(message.error())
        yield messages, unfinished
    consumer.close()


def run(options: argparse.Namespace) -> None:
    """Score all flights."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    model = onnxruntime.InferenceSession(options.model, settings)
    name = model.get_inputs()[0].name
    producer = Producer({"bootstrap.servers": options.broker, "linger.ms": 50, "batch.size": 1_000_000})
    features = Features(orjson.loads(m.value()) for messages, _ in read(options.broker, "weather") for m in messages)

    def score(rows: list[tuple[dict[str, Any], list[float]]]) -> None:
        x = np.array([row for _, row in rows], np.float32)
        for (flight, _), p in zip(rows, model.run(["probabilities"], {name: x})[0][:, 1].tolist(), strict=True):
            at = datetime.fromtimestamp(flight["departed_ms"] / 1000, UTC).isoformat()
            score = {"flight_id": flight["flight_id"], "departed_at": at, "p_late": p, "model_version": "1"}
            score |= {"departure_partition": flight["partition"], "departure_offset": flight["offset"]}
            producer.produce(options.sink, orjson.dumps(score), flight["flight_id"])
        producer.poll(0)

    rows: list[tuple[dict[str, Any], list[float]]] = []
    for messages, unfinished in read(options.broker, options.source):
        for message in messages:
            place = {"partition": message.partition(), "offset": message.offset()}
            features.add(orjson.loads(message.value()) | place, message.partition())
        for row in features.complete(unfinished):
            rows.append(row)
            if len(rows) == BATCH:
                score(rows)
                rows = []
    if rows:
        score(rows)
    producer.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("broker", "source", "sink", "model"):
        parser.add_argument(argument)
    run(parser.parse_args())
