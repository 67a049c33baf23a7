"""Send flights at an even rate, through all faults: records that the broker does not accept now are sent later."""

from __future__ import annotations

import math
import time
from array import array
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from bench.survival.pipeline import PARTITIONS
from bench.survival.records import DAY_MS, Sent, closing_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Feeder", "Sendings"]

_PRODUCER = {
    "enable.idempotence": True,  # each record once and in order, although the broker is killed
    "linger.ms": 20,
    "delivery.timeout.ms": 900_000,
    "queue.buffering.max.messages": 1_000_000,
    "retry.backoff.max.ms": 500,
    "reconnect.backoff.max.ms": 500,
    "log_level": 2,  # no messages about the missing broker
}
_TICK = 0.02  # seconds between two bursts of records


class Sendings:
    """By partition and offset of departures: when a record was given to the producer, and whether it is valid.

    Seconds of the Unix epoch, NaN where nothing was sent. `valid` has a byte a record.
    """

    def __init__(self) -> None:
        self.at: dict[int, array[float]] = defaultdict(lambda: array("d"))
        self.valid: dict[int, bytearray] = defaultdict(bytearray)
        self.records = self.flights = 0

    def note(self, partition: int, offset: int, moment: float, *, valid: bool) -> None:
        """Note a record that the broker has accepted; its `offset` is higher than those noted before."""
        at = self.at[partition]
        gap = offset - len(at)
        at.extend([math.nan] * gap)
        self.valid[partition].extend(bytes(gap))
        at.append(moment)
        self.valid[partition].append(valid)
        self.records += 1
        self.flights += valid

    def moment(self, partition: int, offset: int) -> float:
        """Return when a record was sent; NaN if that is not known yet."""
        at = self.at[partition]
        return at[offset] if offset < len(at) else math.nan


class Feeder:
    """Sends records to the topics of a run, `rate` a second, from `start` to `stop`; `sent` lists them."""

    def __init__(
        self,
        bootstrap: str,
        run: str,
        records: Iterator[Sent],
        rate: float,
        inside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.sent = Sendings()
        self.closing_ms = 0
        self._run, self._records, self._rate = run, records, rate
        self._inside = inside
        self._stopped = Event()
        self._bootstrap = bootstrap
        self._last_ms = 0
        self._failures: list[str] = []
        self._producer: Any = None
        self._thread = Thread(target=self._feed, daemon=True)

    def start(self) -> None:
        """Start to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send all pending records, then those that end all windows; raise RuntimeError if one was refused."""
        self._stopped.set()
        self._thread.join()
        if self._failures:
            raise RuntimeError(f"the broker refused records: {self._failures[:3]}")

    def burst(self, count: int) -> None:
        """Send so many records at once, before `start`."""
        with self._inside():
            self._open()
            for _ in range(count):
                self._send(next(self._records))
            self._producer.flush()

    def _open(self) -> None:
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self._bootstrap, **_PRODUCER})

    def _feed(self) -> None:
        with self._inside():  # the producer's threads are created in this thread's network
            self._open()
            began, count = time.monotonic(), 0
            while not self._stopped.is_set():
                due = int((time.monotonic() - began) * self._rate)
                for _ in range(due - count):
                    self._send(next(self._records))
                count = max(count, due)
                self._producer.poll(0)
                self._stopped.wait(_TICK)
            self._close()
            self._producer.flush()

    def _send(self, record: Sent) -> None:
        now = time.time()
        self._last_ms = max(self._last_ms, record.event_ms)

        def delivered(error: object, message: Any) -> None:  # noqa: ANN401 - confluent's Message
            if error:
                self._failures.append(str(error))
            elif record.valid is not None:
                self.sent.note(message.partition(), message.offset(), now, valid=record.valid)

        self._producer.produce(f"{record.topic}-{self._run}", record.value, record.key, on_delivery=delivered)
        self._producer.poll(0)

    def _close(self) -> None:
        self._producer.flush()
        self.closing_ms = (self._last_ms // DAY_MS + 3) * DAY_MS
        departures, weather = closing_records(self.closing_ms, PARTITIONS["departures"])
        for number, value in enumerate(departures):
            self._producer.produce(f"departures-{self._run}", value, b"closing", partition=number)
        self._producer.produce(f"weather-{self._run}", weather, b"EWR")
