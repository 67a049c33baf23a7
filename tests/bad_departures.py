"""Records that are no valid departures, each of a kind, with the reason for which quarantine must hold it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["BadRecord", "bad_departures", "written_otherwise"]

INTEGERS = ("flight", "distance", "dep_delay")
LONGS = ("scheduled_ms", "departed_ms")
TEXTS = ("flight_id", "carrier", "tailnum", "origin", "dest")
REQUIRED = ("flight_id", "carrier", "origin", "distance", "scheduled_ms", "departed_ms", "dep_delay")
Kinds = dict[str, Sequence[bytes | None]]
UNDECODABLE, CONTRACT, INVALID_TIME = "undecodable", "contract", "invalid event time"


@dataclass(frozen=True)
class BadRecord:
    """A record's bytes, None for a tombstone; its kind; and quarantine's reason for it."""

    kind: str
    reason: str
    value: bytes | None


def bad_departures(flight: Mapping[str, Any], now_ms: int) -> Iterator[BadRecord]:
    """Yield what can be wrong with a record; `flight` is a valid one, `now_ms` the time that Kafka will see."""
    whole = json.dumps(flight).encode()
    for kind, values in {**_wrong_numbers(flight), **_wrong_texts(flight), **_wrong_bytes(whole)}.items():
        for value in values:
            yield BadRecord(kind, UNDECODABLE, value)
    for kind, rows in _broken_rules(flight).items():
        for row in rows:
            yield BadRecord(kind, CONTRACT, json.dumps(row).encode())
    for ms in (0, 1, 3_600_000, -1, -(2**62), 2**62, 253_402_300_799_000, now_ms + 2 * 86_400_000):
        yield BadRecord("time", INVALID_TIME, json.dumps({**flight, "departed_ms": ms}).encode())


def _with(flight: Mapping[str, Any], column: str, text: bytes) -> bytes:
    """Write a flight with bytes as they are in the place of a value."""
    return json.dumps({**flight, column: "@@"}).encode().replace(b'"@@"', text)


def _wrong_numbers(flight: Mapping[str, Any]) -> Kinds:
    types = (b'"far"', b'""', b'"12.5"', b"true", b"[1]", b'{"a": 1}', b"1.5")
    literals = (b"NaN", b"Infinity", b"-Infinity", b"nan", b"0x1F", b"01", b"+1", b".5", b"1.")
    beyond = (str(2**63).encode(), str(-(10**30)).encode())
    numbers = (*INTEGERS, *LONGS)
    return {
        "wrong type": [_with(flight, column, wrong) for column in numbers for wrong in types],
        "literal that JSON lacks": [_with(flight, column, literal) for column in numbers for literal in literals],
        "beyond int64": [_with(flight, column, number) for column in numbers for number in beyond],
        "beyond int32": [_with(flight, column, b"2147483648") for column in INTEGERS],
    }


def _wrong_texts(flight: Mapping[str, Any]) -> Kinds:
    texts = (b"\xff", b"\xc3(", b"\xe2\x82", b"\xf0(\x8c\xbc", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80")
    nested = [b"[" * depth + b"]" * depth for depth in (1001, 5000, 100_000)]
    return {
        "invalid UTF-8": [_with(flight, name, b'"' + t + b'"') for t in texts for name in (*TEXTS, "remark")],
        "deep nesting": [_with(flight, "remark", text) for text in nested],
    }


def _wrong_bytes(whole: bytes) -> Kinds:
    again = [json.dumps({name: value}).encode()[1:] for name, value in json.loads(whole).items()]
    avro = (b"\x00\x00\x00\x00\x01", b"\x00\x00\x01\x00\x2a\x06", b"Obj\x01\x04\x14avro.codec", b"\xc3\x01")
    return {
        "truncated": [whole[:end] for end in range(1, len(whole) - 1, 5)],
        "duplicate key": [whole[:-1] + b", " + pair for pair in again],
        "byte order mark": [mark + whole for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")],
        "another encoding": [whole.decode().encode(e) for e in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-16")],
        "Avro": [magic + b"\x0cUA1545\x06EWR" for magic in avro],
        "empty": [b"", b" ", b"\n\t "],
        "tombstone": [None],
        "not an object": [
            b"null",
            b"true",
            b"5",
            b'"a"',
            b"[]",
            b"[" + whole + b"]",
            b"[" + whole + b"," + whole + b"]",
        ],
        "more behind it": [whole + behind for behind in (b" x", b"{}", whole, b"\x00", b"]", b",", b"\xff")],
        "not quite JSON": [
            whole.replace(b'"', b"'"),
            whole[:-1] + b",}",
            b"/* a */" + whole,
            whole[:-1] + b" // a\n}",
        ],
    }


def _broken_rules(flight: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    outside = {"distance": (0, -1, 10_001, 2**31 - 1), "dep_delay": (-1441, 2881, 100_000, -(2**31))}
    return {
        "missing column": [{}, *({k: v for k, v in flight.items() if k != column} for column in REQUIRED)],
        "NULL": [{**flight, column: None} for column in REQUIRED],
        "out of range": [{**flight, column: value} for column, values in outside.items() for value in values],
        "not one of": [{**flight, "origin": value} for value in ("", "BOS", "ewr", " EWR", 5, ["EWR"])],
        "no match": [{**flight, "dest": value} for value in ("", "Bos", "BOST", "BO", "B\u00d6S", 123)],
        "too long": [{**flight, "carrier": value} for value in ("UAL", "\u2708\u2708\u2708", {"a": 1})],
        "1 MB string": [{**flight, "carrier": "x" * 1_000_000}],
    }


def written_otherwise(flight: Mapping[str, Any], number: int) -> bytes:
    """Write a valid flight in one of several ways that mean the same."""
    ways = [
        json.dumps(flight),
        json.dumps(dict(reversed([*flight.items()]))),
        json.dumps({**flight, "remark": {"deep": [[[1, {"a": None}]]], "text": "\u2708"}, "z": 2**70}),
        f"\n {json.dumps(flight, indent=2)} \r\n",
        json.dumps(flight).replace("E", "\\u0045"),
        json.dumps({name: str(value) if name in LONGS else value for name, value in flight.items()}),
        json.dumps({name: float(value) if name in INTEGERS else value for name, value in flight.items()}),
    ]
    return ways[number % len(ways)].encode()
