"""Companions, connectors and formats: Millstream's own, and those that installed packages bring by entry points."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

__all__ = ["extensions"]

_OWN = {
    "millstream.companions": (
        "pyflink_jobs.planning.companions.drift:Drift",
        "pyflink_jobs.planning.companions.quarantine:Quarantine",
    ),
    "millstream.connectors": ("pyflink_jobs.planning.connectors.kafka:Kafka",),
    "millstream.formats": ("pyflink_jobs.planning.formats:Json", "pyflink_jobs.planning.formats:Avro"),
}


@cache
def extensions(group: str) -> list[Any]:
    """Return one object of each class of a group; the statements of companions are added to a job in that order."""
    own = [getattr(import_module(module), name) for module, _, name in (path.partition(":") for path in _OWN[group])]
    return [kind() for kind in [*own, *(entry.load() for entry in entry_points(group=group))]]
