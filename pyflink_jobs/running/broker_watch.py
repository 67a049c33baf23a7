"""Notice that a broker has gone while a job runs: Flink's Kafka source would wait for it in silence."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.topics import answers

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["BrokerWatch"]

_EVERY = 5.0  # seconds between two looks
_PATIENCE = 15.0  # seconds without an answer that are taken for a short absence


class BrokerWatch:
    """Looks at brokers, by their bootstrap addresses, now and then."""

    def __init__(self, brokers: Collection[str]) -> None:
        self._answered = dict.fromkeys(brokers, monotonic())
        self._looked = monotonic()

    def look(self) -> None:
        """Ask each broker, if the last look is some seconds ago; raise KafkaError for one that has long been silent."""
        if monotonic() - self._looked < _EVERY:
            return
        for broker, answered in self._answered.items():
            if answers(broker, within=_EVERY):
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
