"""Departures that break a rule of sql/sources/departures.sql, made up: the demo shows what becomes of such records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyflink_jobs.local.sending import send_records

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BAD", "send_bad_records"]

_SOUND: Mapping[str, object] = {
    "carrier": "UA",
    "flight": 1,
    "tailnum": "N1",
    "origin": "EWR",
    "dest": "BOS",
    "distance": 200,
    "scheduled_ms": 1_364_774_400_000,
    "departed_ms": 1_364_774_400_000,
    "dep_delay": 0,
}
BAD: Mapping[str, Mapping[str, object]] = {
    "made-up-1": {"departed_ms": None},
    "made-up-2": {"departed_ms": 0},
    "made-up-3": {"departed_ms": 253_402_300_799_000},
    "made-up-4": {"origin": "BOS"},
    "made-up-5": {"dest": "Boston"},
    "made-up-6": {"distance": -1, "dep_delay": 100_000},
}
"""What is wrong with each, by its flight_id."""


def send_bad_records(bootstrap: str) -> int:
    """Send them to the topic departures, and return their number."""
    records = ({"flight_id": name, **_SOUND, **wrong} for name, wrong in BAD.items())
    return send_records(bootstrap, "departures", (json.dumps(record).encode() for record in records))
