"""Size a job for a rate: slots, partitions and memory, from the measured cost of a record."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["JVM", "SLOTS", "WORKER", "Cost", "Size", "lines", "predict", "size"]

SLOTS = 2
"""Slots of a TaskManager, as in flink-conf/production.yaml."""

JVM = 1920
"""Memory of a TaskManager of two slots itself, MiB: heap, network, metaspace; as there."""

_STATE = 512
"""State of a slot, MiB; as there."""

WORKER = 190
"""Assumed memory of a Python worker that was not measured, MiB, without its models; as there."""


@dataclass(frozen=True)
class Cost:
    """A job's measured or given cost.

    `us` is CPU microseconds per record, JVM and Python workers together. `slot_rate` is the records per second of one
    slot, None if not measured. `workers` is the number of Python workers in a slot, `worker` the memory of each in MiB.
    """

    us: float
    slot_rate: float | None
    workers: int
    worker: float


@dataclass(frozen=True)
class Size:
    """The resources of a job; memory in MiB, of one TaskManager and of all."""

    rate: float
    headroom: float
    cost: Cost
    cores: float
    of_slot: float
    slots: int
    partitions: int
    taskmanagers: int
    memory: float
    total: float


def size(rate: float, cost: Cost, headroom: float) -> Size:
    """Return the resources of a job at `rate` records a second; `headroom` is the share of each slot that is left free.

    >>> size(100_000, Cost(us=20.0, slot_rate=None, workers=1, worker=190.0), headroom=0.5).slots
    4
    """
    cores = rate * cost.us / 1e6
    of_core = 1e6 / cost.us
    of_slot = of_core if cost.slot_rate is None else min(of_core, cost.slot_rate)
    # Not rounded up for a rounding error.
    slots = max(1, math.ceil(rate / (of_slot * (1 - headroom)) - 1e-9))
    taskmanagers = math.ceil(slots / SLOTS)
    memory = JVM + SLOTS * (_STATE + cost.workers * cost.worker)
    return Size(rate, headroom, cost, cores, of_slot, slots, slots, taskmanagers, memory, taskmanagers * memory)


def lines(found: Size, partitions: int | None) -> list[tuple[str, str, str]]:
    """Return the calculation line by line: the quantity, the formula with its numbers, the result.

    `partitions` is the source topic's current number, None if it is not known.
    """
    cost = found.cost
    one = f"1,000,000 / {cost.us:,.1f} µs, the rate of one core"
    if cost.slot_rate is not None:
        one = f"the smaller of {one} = {1e6 / cost.us:,.0f}/s, and {cost.slot_rate:,.0f}/s, measured with one slot"
    now = "" if partitions is None else f"; it has {partitions} now"
    return [
        ("CPU", f"{found.rate:,.0f} records/s x {cost.us:,.1f} µs", f"{found.cores:,.1f} cores"),
        ("one slot", one, f"{found.of_slot:,.0f} records/s"),
        (
            "slots",
            f"{found.rate:,.0f} / ({found.of_slot:,.0f} x (1 - {found.headroom:g} headroom)), rounded up",
            f"{found.slots:,}",
        ),
        ("partitions", f"of the source topic: one for each slot, or a multiple{now}", f"{found.partitions:,}"),
        ("Python workers", f"{found.slots:,} slots x {cost.workers}", f"{found.slots * cost.workers:,}"),
        ("TaskManagers", f"{found.slots:,} slots / {SLOTS}, rounded up", f"{found.taskmanagers:,}"),
        (
            "memory of one",
            f"{JVM:,} JVM + {SLOTS} slots x ({_STATE} state + {cost.workers} workers x {cost.worker:,.0f})",
            f"{found.memory:,.0f} MiB",
        ),
        ("memory", f"{found.taskmanagers:,} TaskManagers x {found.memory:,.0f} MiB", f"{found.total / 1024:,.1f} GiB"),
    ]


def predict(slot_rate: float, us: float, slots: int, cores: float) -> float:
    """Return the records per second of some slots on a machine: their sum, or what its cores allow if that is less.

    >>> predict(slot_rate=60_000, us=20.0, slots=2, cores=2)
    100000.0
    """
    return min(slots * slot_rate, cores * 1e6 / us)
