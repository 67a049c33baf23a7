"""Detect that a broker has stopped while a job runs: Flink's Kafka source would wait for it without a message."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.topics import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.local.kafka_client import Brokers

__all__ = ["BrokerWatch"]

_EVERY = 5.0  # seconds between two requests
_PATIENCE = 15.0  # seconds without an answer before a broker counts as stopped


class BrokerWatch:
    """Checks brokers every few seconds: `brokers` are their clients' properties, by address."""

    def __init__(self, brokers: Mapping[str, Brokers]) -> None:
        self._clients = brokers
        self._answered = dict.fromkeys(brokers, monotonic())
        self._looked = monotonic()

    def look(self) -> None:
        """Ask each broker if the last request is some seconds old; raise KafkaError for one that no longer answers."""
        if monotonic() - self._looked < _EVERY:
            return
        for broker, answered in self._answered.items():
            if answers(self._clients[broker], within=_EVERY):
                self._answered[broker] = monotonic()
            elif monotonic() - answered > _PATIENCE:
                raise KafkaError(
                    f"the broker at {broker} has gone while the job ran",
                    facts=(f"it has not answered for {monotonic() - answered:.0f} seconds",),
                    fixes=(
                        "start it again: millstream up; then run the job again",
                        "see its log: millstream status",
                    ),
                )
        self._looked = monotonic()
