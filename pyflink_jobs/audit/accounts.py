"""The accounts of a source: what happened to the records of each partition. Arrays in, counts and offsets out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyflink_jobs.audit.expected_output import Place

__all__ = ["Account", "Found", "Integers", "Limits", "Records", "accounts"]

Integers: TypeAlias = NDArray[np.int64]


def _none() -> Integers:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Records:
    """The records of a partition: their offsets, ascending, and their times in epoch milliseconds.

    The topic has no record before the offset `first` any more.
    """

    offsets: Integers
    times: Integers
    first: int = 0


@dataclass(frozen=True)
class Found:
    """Offsets of a partition's records as other topics have them, in any order, once for each time they are there.

    `scored` has an array for each sink, `refused` one for each model: a record may be in several. `invalid` has those
    that are in quarantine for all other reasons, `replayed` the marks of those that were replayed from there.
    """

    scored: tuple[Integers, ...] = ()
    invalid: Integers = field(default_factory=_none)
    refused: tuple[Integers, ...] = ()
    replayed: Integers = field(default_factory=_none)


@dataclass(frozen=True)
class Limits:
    """Which records count: those from `since` (inclusive) to `until` (exclusive), in epoch milliseconds.

    In flight are records that are less than `grace` milliseconds older than the partition's newest accounted record, or
    younger; and those from the partition's offset in `committed` on.
    """

    since: int | None = None
    until: int | None = None
    grace: int = 0
    committed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What happened to the records of a partition: `read` is the sum of all others except `duplicates`.

    A duplicate is accounted for more than once; it also counts as quarantined or scored. `expired` are offsets before
    `first`, where the topic begins now, that have no result: where all records that are left have one, those since the
    first result; else those behind the last one, which may be filtered, or marks of transactions: then it is not
    `certain` that the job has not read them.
    """

    source: str
    partition: int
    read: int
    scored: int
    quarantined: int
    filtered: int
    in_flight: int
    missing: tuple[int, ...]
    duplicates: tuple[int, ...]
    expired: int = 0
    first: int = 0
    certain: bool = False
    topic: str = ""

    @property
    def lost(self) -> bool:
        """Return whether records are lost for certain, or doubled."""
        return bool(self.missing or self.duplicates or (self.expired and self.certain))


@dataclass(frozen=True)
class _Sorted:
    """The records of a partition that count, by where they are; `open` ones are in no topic."""

    scored: int
    quarantined: int
    in_flight: int
    open: Integers
    duplicates: Integers


def accounts(
    source: str,
    topic: str,
    read: Mapping[int, Records],
    found: Mapping[int, Found],
    emitted: Callable[[set[Place]], set[Place]],
    limits: Limits,
) -> list[Account]:
    """Return the account of each partition of a source.

    `emitted` returns those of the given records for which the job's query writes a row. It is called once, with the
    records that are in no topic: those that it returns are missing, the others are filtered.
    """
    parts = {number: _sort(records, found.get(number, Found()), number, limits) for number, records in read.items()}
    asked = {(topic, number, offset) for number, part in parts.items() for offset in part.open.tolist()}
    lost = emitted(asked) & asked if asked else set()
    made = []
    for number, part in sorted(parts.items()):
        missing = tuple(offset for offset in part.open.tolist() if (topic, number, offset) in lost)
        filtered = len(part.open) - len(missing)
        total = part.scored + part.quarantined + part.in_flight + len(part.open)
        counts = (total, part.scored, part.quarantined, filtered, part.in_flight)
        certain = bool(len(read[number].offsets)) and not filtered and not _holes(read[number].offsets)
        gone = _expired(read[number], found.get(number, Found()), number, limits, certain=certain)
        duplicates = tuple(part.duplicates.tolist())
        made.append(Account(source, number, *counts, missing, duplicates, gone, read[number].first, certain, topic))
    return made


def _sort(records: Records, found: Found, number: int, limits: Limits) -> _Sorted:
    offsets, times = records.offsets, records.times
    in_sinks, refused = _most(offsets, found.scored), _most(offsets, found.refused)
    in_quarantine = refused + _count(offsets, found.invalid) - _count(offsets, found.replayed)
    # A refused row is in the sink as well, without outputs: it is the same row.
    total = in_quarantine + np.maximum(in_sinks - refused, 0)
    counting = np.ones(len(offsets), bool)
    if limits.since is not None:
        counting &= times >= limits.since
    if limits.until is not None:
        counting &= times < limits.until
    nowhere = counting & (total < 1)
    quarantined = counting & (total >= 1) & (in_quarantine >= 1)
    in_flight = nowhere & _ahead(records, found, limits.committed.get(number), limits.grace)
    return _Sorted(
        scored=int((counting & (total >= 1) & ~quarantined).sum()),
        quarantined=int(quarantined.sum()),
        in_flight=int(in_flight.sum()),
        open=offsets[nowhere & ~in_flight],
        duplicates=offsets[counting & (total > 1)],
    )


def _ahead(records: Records, found: Found, committed: int | None, grace: int) -> NDArray[np.bool_]:
    """Return for each record whether the job may not have read it yet."""
    offsets, times = records.offsets, records.times
    reached = _reached(found)
    ahead: NDArray[np.bool_] = offsets > reached.max(initial=-1)
    if committed is not None:
        ahead |= offsets >= committed
    newest = times[np.isin(offsets, reached)]
    if len(newest):
        ahead |= times > newest.max() - grace
    return ahead


def _reached(found: Found) -> Integers:
    """Return the offsets that the job has read for certain."""
    return np.concatenate([_none(), *found.scored, found.invalid, *found.refused])


def _expired(records: Records, found: Found, number: int, limits: Limits, *, certain: bool) -> int:
    """Return how many offsets before the topic's first one have no result, since the first result or the last one."""
    if limits.since is not None and len(records.times) and records.times[0] < limits.since:
        return 0  # what has expired is older still
    reached = np.unique(_reached(found))
    reached = reached[reached < records.first]
    committed = limits.committed.get(number, records.first + 1)
    if certain and len(reached):
        return int(records.first - reached[0] - len(reached))
    places = [*(reached[-1:] + 1).tolist(), *([committed] if committed <= records.first else [])]
    return int(records.first - max(places)) if places else 0


def _holes(offsets: Integers) -> int:
    """Return how many offsets within a partition's records have none: marks of transactions, and what is aborted."""
    return int(offsets[-1] - offsets[0] + 1 - len(offsets)) if len(offsets) else 0


def _most(offsets: Integers, found: tuple[Integers, ...]) -> Integers:
    """Return how often each of `offsets` is in the array that has it most often."""
    most = np.zeros(len(offsets), np.int64)
    for array in found:
        np.maximum(most, _count(offsets, array), out=most)
    return most


def _count(offsets: Integers, found: Integers) -> Integers:
    """Return how often each of `offsets`, in ascending order, is in `found`."""
    at = np.searchsorted(offsets, found)
    known = at < len(offsets)
    known[known] = offsets[at[known]] == found[known]
    return np.bincount(at[known], minlength=len(offsets)).astype(np.int64)
