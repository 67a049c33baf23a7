"""The records of the topic `quarantine`: what could not be scored, why, and where its original bytes stand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.planning.quarantine_sql import QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyflink_jobs.local.topics import Record

__all__ = ["Group", "Quarantined", "chosen", "count", "read_quarantine"]


@dataclass(frozen=True)
class Group:
    """What quarantined records are counted by; `hour` is when they came to Kafka, UTC, as 2013-04-01T05."""

    hour: str
    source: str
    reason: str


@dataclass(frozen=True)
class Quarantined:
    """A quarantined record: `fields` are the columns that the project's table has; `came` is its time in Kafka, UTC."""

    fields: dict[str, Any]
    came: datetime

    @property
    def source(self) -> str:
        """The source's name."""
        return str(self.fields.get("source") or "?")

    @property
    def reason(self) -> str:
        """The kind of reason."""
        return str(self.fields.get("reason") or "?")

    @property
    def place(self) -> tuple[str, int, int] | None:
        """Topic, partition and offset of the record itself, where they are known."""
        found = [self.fields.get(name) for name in ("topic", "partition", "offset")]
        return None if None in found else (str(found[0]), int(found[1]), int(found[2]))  # type: ignore[arg-type]  # not None

    @property
    def group(self) -> Group:
        """What it is counted by."""
        return Group(self.came.strftime("%Y-%m-%dT%H"), self.source, self.reason)


def read_quarantine(bootstrap: str) -> list[Quarantined]:
    """Return all quarantined records, oldest first; what is no record of it is left out.

    Raises KafkaError where there is no broker or no such topic.
    """
    from pyflink_jobs.local.topics import names, read  # noqa: PLC0415 - all else here needs no Kafka

    if QUARANTINE not in names(bootstrap):
        raise KafkaError(
            f"there is no topic `{QUARANTINE}` in Kafka at {bootstrap}",
            facts=("a job that scores writes to it what it cannot score",),
            ways_out=(f"declare the table in sql/sinks/{QUARANTINE}.sql, and run the job: millstream run JOB",),
        )
    found = [record for record in map(_parse, read(bootstrap, QUARANTINE)) if record]
    return sorted(found, key=lambda record: record.came)


def _parse(record: Record) -> Quarantined | None:
    try:
        values = json.loads(record.value or b"")
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    try:
        came = datetime.fromisoformat(str(values.get("ingested_at"))).astimezone(UTC)
    except ValueError:  # the table has no such column: its own time must do
        came = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Quarantined(values, came)


def chosen(records: Iterable[Quarantined], source: str | None, reason: str | None) -> list[Quarantined]:
    """Return the records of a source and with a reason, where one is given."""
    return [r for r in records if source in (None, r.source) and reason in (None, r.reason)]


def count(records: Sequence[Quarantined]) -> dict[Group, int]:
    """Return how many there are of each group, in order of hour, source and reason."""
    counted = Counter(record.group for record in records)
    return dict(sorted(counted.items(), key=lambda item: (item[0].hour, item[0].source, item[0].reason)))
