"""Made-up invalid records of departures: the demo shows how they are quarantined."""

from __future__ import annotations

import json

from pyflink_jobs.local.send import send_records

__all__ = ["BAD", "send_bad_records"]

_VALID: dict[str, object] = {
    "flight_id": "made-up",
    "carrier": "UA",
    "flight": 1,
    "tailnum": "N1",
    "origin": "EWR",
    "dest": "BOS",
    "distance": 200,
    "scheduled_ms": 1_364_774_400_000,  # 1 April 2013
    "departed_ms": 1_364_774_400_000,
    "dep_delay": 0,
}


def _but(**wrong: object) -> bytes:
    return json.dumps({**_VALID, **wrong}).encode()


BAD: list[tuple[str, bytes]] = [
    ("undecodable", _but()[:-20]),
    ("undecodable", _but(distance="far")),
    ("undecodable", b"\x00\x00\x00\x00\x2a an Avro record"),
    ("contract", _but(departed_ms=None)),
    ("contract", _but(origin="BOS", dest="Boston")),
    ("contract", _but(dep_delay=100_000)),
    ("invalid event time", _but(departed_ms=0)),
    ("invalid event time", _but(departed_ms=253_402_300_799_000)),
    ("late", _but()),
]
"""The reason with which each is quarantined, and the record; the last is late if all flights were sent before it."""


def send_bad_records(bootstrap: str) -> int:
    """Send the invalid records to the topic departures, and return their number."""
    return send_records(bootstrap, "departures", (record for _, record in BAD))
