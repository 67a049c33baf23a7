"""How the sources and sinks of a kind are bounded, positioned, reached, named and replayed.

A package brings one by an entry point of the group `millstream.connectors`, whose value is a subclass of `Connector`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.planning.extensions import extensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.local.topics import Record

__all__ = ["BLACKHOLE", "Connector", "connector_of"]

BLACKHOLE = "blackhole"
"""Flink's connector whose sinks keep nothing."""


class Connector:
    """A base class, and what is assumed of a kind that no other class knows: no record of it can be named again.

    All `options` are those of a table, as in its WITH.
    """

    kinds: ClassVar[tuple[str, ...]] = ()
    """The values of 'connector' that are of this kind."""

    versioned: ClassVar[tuple[str, ...]] = ()
    """Those of them whose tables hold the newest row of each key."""

    position: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Columns of `quarantine` that say which record a row is: their metadata key, and its SQL type."""

    replayable: ClassVar[bool] = False
    """Whether a record can be read again by its position."""

    messages: ClassVar[bool] = False
    """Whether each record is bytes that a format decodes by itself, so that one which cannot be decoded can be kept."""

    alternatives: ClassVar[tuple[str, ...]] = ()
    """Options of which a table has one alone: one that it is given replaces its own."""

    committed: ClassVar[Mapping[str, str]] = {}
    """Options of a source that is to read nothing of transactions that are not committed."""

    def names(self, options: Mapping[str, str]) -> list[str]:
        """Return the names of the topics, streams or queues of a table; of a pattern none."""
        return []

    def reads(self, options: Mapping[str, str], name: str) -> bool:
        """Return whether a topic, stream or queue is one of a table's, by a list or by a pattern."""
        return name in self.names(options)

    def there(self, options: Mapping[str, str]) -> list[str]:
        """Return the topics, streams or queues of a table that there are."""
        return self.names(options)

    def records(self, options: Mapping[str, str]) -> list[Record] | None:
        """Return all records that are in a table now, as messages; None where its topic is not there.

        Raises KafkaError, or a like one, where it cannot be reached.
        """
        raise KafkaError(
            f"commands cannot read a table of 'connector' = '{options.get('connector', '')}'",
            fixes=("read it with the tools of what it is in", "write to a topic: 'connector' = 'kafka'"),
        )

    def sample(self, options: Mapping[str, str], count: int) -> list[Record] | None:
        """Return the newest records of a table, `count` at most; None where it cannot be reached at once."""
        return None

    def client(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return what another client needs to reach it; {} where none can."""
        return {}

    def connected(self, options: Mapping[str, str], address: str, client: Mapping[str, str]) -> dict[str, str]:
        """Return what a table lacks to reach the project's Kafka at `address`, whose clients need `client`."""
        return {}

    def address(self, options: Mapping[str, str]) -> str:
        """Return where a table is: positions in one place mean nothing in another."""
        return " ".join(options[key] for key in ("connector", "path") if key in options)

    def reading(self, options: Mapping[str, str], *, bounded: bool, remembered: bool) -> dict[str, str]:
        """Return the options that a run gives a source in place of its own, or beside them.

        A `bounded` run ends with what is there when it starts; one that is not `remembered` leaves no trace of what it
        has read.
        """
        return {}

    def writing(self, options: Mapping[str, str], *, replays: bool) -> dict[str, str]:
        """Return the options that a run gives a sink; one that `replays` runs beside the job itself."""
        return {}

    def between(self, positions: Mapping[int, tuple[int, int]]) -> dict[str, str]:
        """Return the options to read from the first position of each partition up to the second, and end there."""
        raise NotImplementedError(f"no positions are known of {positions}")

    def dry_run(self, options: Mapping[str, str], name: str) -> dict[str, str] | None:
        """Return the options for a sink called `name`, where nobody else reads; None where there is no such place."""
        return None

    def longest_transaction(self, options: Mapping[str, str]) -> int | None:
        """Return how many milliseconds a sink's transaction may take; None where that is not limited or not known.

        Raises KafkaError, or a like one, where nobody answers.
        """
        return None

    def refuse_missing(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        """Raise KafkaError, or a like one, for a source that is not there; `tables` are options by name."""

    def create(self, tables: Iterable[Mapping[str, str]]) -> None:
        """Create what sinks write to, where it is not there yet."""

    def delete(self, tables: Iterable[Mapping[str, str]]) -> None:
        """Delete what sinks have written to."""


def connector_of(options: Mapping[str, str]) -> Connector:
    """Return the connector of a table with these options."""
    kind = options.get("connector")
    return next((one for one in extensions("millstream.connectors") if kind in one.kinds), Connector())
