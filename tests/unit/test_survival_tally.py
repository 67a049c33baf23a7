"""The counting behind `make soak` sees what is lost, what is there twice, and what is otherwise."""

from __future__ import annotations

import json
from collections import Counter

from bench.survival.feeder import Sendings
from bench.survival.records import DAY_MS
from bench.survival.tally import Row, Try, differences, tally

CLOSING = 1_365_120_000_000  # 5 April 2013
TRIES = [Try("first", 10, 14), Try("second", 25, 32)]


def scored(offset: int, p_late: float = 0.5) -> bytes:
    row = {"departed_at": "2013-04-01T05:00:00Z", "p_late": p_late}
    return json.dumps({**row, "departure_partition": 0, "departure_offset": offset}).encode()


def held(offset: int) -> bytes:
    return json.dumps({"partition": 0, "offset": offset}).encode()


def sendings() -> Sendings:
    """Return six records; the third is not valid, the fourth's offset nobody knows of."""
    sent = Sendings()
    for offset, moment, valid in ((0, 9, True), (1, 13, True), (2, 15, False), (4, 31, True), (5, 40, True)):
        sent.note(0, offset, moment, valid=valid)
    return sent


def test_each_record_counts_once_for_the_fault_that_it_met() -> None:
    found = {"predictions": Counter(map(scored, (0, 1, 4, 5))), "quarantine": Counter([held(2)])}
    assert tally(TRIES, sendings(), found) == [
        Row("first", 1, records=2, scored=2, recovery=[4]),
        Row("second", 1, records=3, scored=2, quarantined=1, recovery=[7]),
    ]


def test_losses_and_doubles_are_seen() -> None:
    found = {"predictions": Counter([*map(scored, (0, 4, 5)), scored(5)]), "quarantine": Counter([held(4)])}
    first, second = tally(TRIES, sendings(), found)
    assert (first.lost, first.duplicated) == (1, 0)
    assert (second.lost, second.duplicated) == (1, 2)  # the invalid one; one scored twice, one both scored and held


def test_a_bit_makes_a_difference_as_far_as_both_runs_have_come() -> None:
    window = json.dumps({"window_end": "2013-04-03T00:00:00Z"}).encode()
    beyond = json.dumps({"window_end": "2013-04-05T00:00:00Z"}).encode()
    expected = {"predictions": Counter([scored(0), scored(1)]), "drift": Counter([window, beyond])}
    found = {"predictions": Counter([scored(0), scored(1, 0.5000000000000001)]), "drift": Counter([window] * 2)}
    compared = differences(found, expected, CLOSING)
    assert (compared["predictions"].rows, compared["predictions"].missing, compared["predictions"].extra) == (2, 1, 1)
    assert (compared["drift"].rows, compared["drift"].missing, compared["drift"].extra) == (1, 0, 1)
    assert CLOSING % DAY_MS == 0
