"""The records of the table `quarantine`: what could not be scored, why, and where its original bytes are."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pyflink_jobs.local.json_records import json_objects
from pyflink_jobs.planning.project_tables import ProjectTables
from pyflink_jobs.planning.system_tables import QUARANTINE, REFUSED, REPLAYED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.project.settings import Project

__all__ = ["Group", "Quarantined", "chosen", "count", "quarantined", "read_quarantine"]

_Key: TypeAlias = tuple[str, str, tuple[str, int, int] | None]


@dataclass(frozen=True)
class Group:
    """What quarantined records are counted by; `hour` is when they were written to Kafka, UTC, as 2013-04-01T05."""

    hour: str
    source: str
    reason: str


@dataclass(frozen=True)
class Quarantined:
    """A quarantined record: `fields` are the columns that the project's table has; `came` is its time in Kafka, UTC.

    `written` is when it was written to quarantine, in epoch milliseconds. A record that was replayed and failed again
    is there once for each `round`; `replayed` is whether this round was replayed.
    """

    fields: dict[str, Any]
    came: datetime
    written: int
    round: int = 0
    replayed: bool = False

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
        """Topic, partition and offset of the original record, None if they are not known."""
        found = [self.fields.get(name) for name in ("topic", "partition", "offset")]
        return None if None in found else (str(found[0]), int(found[1]), int(found[2]))  # type: ignore[arg-type]  # not None

    @property
    def key(self) -> _Key:
        """What all entries of one record have in common: source, job and place."""
        return self.source, str(self.fields.get("job")), self.place

    @property
    def kept(self) -> bytes | None:
        """The original bytes, None if they were not kept here."""
        try:
            return base64.b64decode(self.fields["record"], validate=True)
        except (KeyError, TypeError, ValueError):  # no such column, or not base64
            return None

    @property
    def group(self) -> Group:
        """What it is counted by."""
        return Group(self.came.strftime("%Y-%m-%dT%H"), self.source, self.reason)


def read_quarantine(project: Project) -> list[Quarantined]:
    """Return all quarantined records of a project's table, oldest first; other records of its topic are left out.

    Raises KafkaError if there is no broker, or the table is nothing that commands can read.
    """
    return quarantined(ProjectTables(project).records(QUARANTINE))


def quarantined(records: Iterable[Record]) -> list[Quarantined]:
    """Return the quarantined records among those of a topic, oldest first."""
    found = [_quarantined(record, values) for record, values in json_objects(records)]
    marks = Counter(record.key for record in found if record.reason == REPLAYED)
    standing = _in_rounds((record for record in found if record.reason != REPLAYED), marks)
    return sorted(standing, key=lambda record: record.came)


def _quarantined(record: Record, values: dict[str, Any]) -> Quarantined:
    try:
        came = datetime.fromisoformat(str(values.get("ingested_at"))).astimezone(UTC)
    except ValueError:  # the table has no such column: use the record's own time
        came = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Quarantined(values, came, record.timestamp)


def _in_rounds(records: Iterable[Quarantined], marks: Counter[_Key]) -> list[Quarantined]:
    """Return the records with the round in which each was written; `marks` count the rounds that were replayed.

    Entries that several models refuse in one run are one round.
    """
    seen: Counter[tuple[_Key, bool, object]] = Counter()
    rounds: dict[_Key, list[tuple[bool, int]]] = defaultdict(list)
    numbered = []
    for record in sorted(records, key=lambda record: record.written):
        if record.place is None:
            numbered.append(record)
            continue
        refused = record.reason == REFUSED
        which = (record.key, refused, record.fields.get("model"))
        seen[which] += 1
        if (refused, seen[which]) not in rounds[record.key]:
            rounds[record.key].append((refused, seen[which]))
        number = rounds[record.key].index((refused, seen[which])) + 1
        numbered.append(replace(record, round=number, replayed=number <= marks[record.key]))
    return numbered


def chosen(records: Iterable[Quarantined], source: str | None, reason: str | None) -> list[Quarantined]:
    """Return the records of a source and with a reason; None for all."""
    return [r for r in records if source in (None, r.source) and reason in (None, r.reason)]


def count(records: Sequence[Quarantined]) -> dict[Group, int]:
    """Return the number of records of each group, ordered by hour, source and reason."""
    counted = Counter(record.group for record in records)
    return dict(sorted(counted.items(), key=lambda item: (item[0].hour, item[0].source, item[0].reason)))
