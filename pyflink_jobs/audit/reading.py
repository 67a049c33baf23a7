"""What an audit reads from Kafka: which records a source has, and which of them are in a sink or in quarantine."""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pyflink_jobs.audit.accounts import Found, Records
from pyflink_jobs.local.json_records import json_objects
from pyflink_jobs.local.topics import bounds, stream
from pyflink_jobs.planning.system_tables import REFUSED, REPLAYED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.audit.accounts import Integers
    from pyflink_jobs.local.kafka_client import Brokers

__all__ = ["Quarantine", "read_records", "read_sink"]

_KEYS = ("job", "topic", "source", "reason", "model")


def read_records(brokers: Brokers, topic: str) -> dict[int, Records]:
    """Return the offsets and times of a topic's records, by partition; those that never had any are left out."""
    first = {number: begin for number, (begin, _) in bounds(brokers, topic).items()}
    found = {number: (array("q"), array("q")) for number, begin in first.items() if begin}
    for records in stream(brokers, topic):
        if records:
            offsets, times = found.setdefault(records[0].partition, (array("q"), array("q")))
            offsets.extend(record.offset for record in records)
            times.extend(record.timestamp for record in records)
    return {n: Records(_integers(offsets), _integers(times), first.get(n, 0)) for n, (offsets, times) in found.items()}


def read_sink(brokers: Brokers, topic: str, columns: tuple[str, ...]) -> dict[tuple[str, int], Integers]:
    """Return the offsets that a sink's rows have, by topic and partition; `columns` are those of partition and offset.

    A third one has the topic, "" without it. Rows that are not JSON objects, or lack one of the columns, are left out.
    """
    found: dict[tuple[str, int], array[int]] = defaultdict(lambda: array("q"))
    partition, offset, *of_topic = columns
    for row in _rows(brokers, topic):
        number, at, *read = (row.get(name) for name in (partition, offset, *of_topic))
        if isinstance(number, int) and isinstance(at, int):
            found[str(read[0]) if read else "", number].append(at)
    return {place: _integers(offsets) for place, offsets in found.items()}


class Quarantine:
    """The offsets in the topic `quarantine`, by job, topic and source, then by partition, reason and model."""

    def __init__(self, brokers: Brokers, topic: str) -> None:
        self._found: dict[tuple[str, str, str], dict[tuple[int, str, str], array[int]]] = defaultdict(dict)
        for row in _rows(brokers, topic):
            number, at = row.get("partition"), row.get("offset")
            if isinstance(number, int) and isinstance(at, int):
                job, origin, source, reason, model = (str(row.get(name)) for name in _KEYS)
                records = self._found[job, origin, source]
                records.setdefault((number, reason, model), array("q")).append(at)

    def of(self, job: str, topic: str, source: str, partition: int, scored: tuple[Integers, ...]) -> Found:
        """Return the offsets found for a partition of a source; `scored` are those in sinks."""
        refused: list[Integers] = []
        kinds: dict[str, list[Integers]] = {"invalid": [], "replayed": []}
        for name in (source, str(None)):  # the table may have no such column
            for (number, reason, _), offsets in self._found.get((job, topic, name), {}).items():
                if number != partition:
                    continue
                if reason == REFUSED:
                    refused.append(_integers(offsets))
                else:
                    kinds["replayed" if reason == REPLAYED else "invalid"].append(_integers(offsets))
        arrays = {kind: np.concatenate([np.empty(0, np.int64), *found]) for kind, found in kinds.items()}
        return Found(scored, refused=tuple(refused), **arrays)


def _rows(brokers: Brokers, topic: str) -> Iterator[dict[str, Any]]:
    return (row for records in stream(brokers, topic) for _, row in json_objects(records))


def _integers(numbers: array[int]) -> Integers:
    return np.frombuffer(numbers, np.int64) if numbers else np.empty(0, np.int64)
