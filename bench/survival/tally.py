"""Count the outcome of each record, by fault, and compare with the undisturbed run."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.survival.records import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.survival.feeder import Sendings

__all__ = ["Difference", "Row", "Try", "differences", "places", "tally"]

Values = Counter[bytes]


@dataclass(frozen=True)
class Try:
    """A fault that happened: when it was over, and when the first flight sent since then was read.

    Seconds of the Unix epoch. A kill is over immediately: the time after it is recovery.
    """

    fault: str
    over: float
    recovered: float


@dataclass
class Row:
    """A fault's row of the table; `recovery` has the seconds of each try."""

    fault: str
    tries: int = 0
    records: int = 0
    scored: int = 0
    quarantined: int = 0
    lost: int = 0
    duplicated: int = 0
    recovery: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """A sink's differences from the undisturbed run, which has `rows`: rows that are missing, and rows too many."""

    rows: int
    missing: int
    extra: int
    example: str = ""


def tally(tries: Sequence[Try], sent: Sendings, found: Mapping[str, Values]) -> list[Row]:
    """Return the rows of the faults. A record counts for the first fault that ended after its sending."""
    scored = places(found["predictions"], "departure_partition", "departure_offset")
    quarantined = places(found["quarantine"], "partition", "offset")
    rows = {one.fault: Row(one.fault) for one in tries}
    for one in tries:
        rows[one.fault].tries += 1
        rows[one.fault].recovery.append(one.recovered - one.over)
    ends = [(one.recovered, one.fault) for one in tries]
    for place, moment, valid in _records(sent):
        row = rows[next((fault for end, fault in ends if moment < end), ends[-1][1])]
        times = scored[place] + quarantined[place]
        right = scored[place] if valid else quarantined[place]
        row.records += 1
        row.scored += scored[place] > 0
        row.quarantined += quarantined[place] > 0
        row.lost += right == 0
        row.duplicated += max(0, times - 1)
    return list(rows.values())


def differences(found: Mapping[str, Values], expected: Mapping[str, Values], closing_ms: int) -> dict[str, Difference]:
    """Compare the sinks' rows as bytes, up to the event time that both runs have reached.

    That is the closing record's: the undisturbed run ends, and with it all windows; the other one continues.
    """
    closing = _iso(closing_ms)
    last_window = _iso(closing_ms - 2 * DAY_MS)
    compared = {}
    for name in expected:
        column, until = ("departed_at", closing) if name == "predictions" else ("window_end", last_window)
        kept = [
            Counter(
                {
                    value: count
                    for value, count in values.items()
                    if name == "quarantine"
                    or _before(json.loads(value)[column], until, inclusive=name != "predictions")
                }
            )
            for values in (found[name], expected[name])
        ]
        missing, extra = kept[1] - kept[0], kept[0] - kept[1]
        example = next((value.decode(errors="replace") for value in (*missing, *extra)), "")
        compared[name] = Difference(kept[1].total(), missing.total(), extra.total(), example)
    return compared


def _records(sent: Sendings) -> Iterator[tuple[tuple[int, int], float, bool]]:
    for partition, moments in sent.at.items():
        for offset, (moment, valid) in enumerate(zip(moments, sent.valid[partition], strict=True)):
            if not math.isnan(moment):
                yield (partition, offset), moment, bool(valid)


def places(values: Values, partition: str, offset: str) -> Counter[tuple[int, int]]:
    """Return the records of a sink's rows, identified by two columns, with their numbers of rows."""
    found: Counter[tuple[int, int]] = Counter()
    for value, count in values.items():
        row = json.loads(value)
        found[row[partition], row[offset]] += count
    return found


def _before(text: str, until: str, *, inclusive: bool) -> bool:
    return text < until or (inclusive and text == until)


def _iso(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
