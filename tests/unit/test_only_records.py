"""Conditions for places: each is evaluated against all places around."""

from __future__ import annotations

import sqlite3
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as some

from pyflink_jobs.planning.companions import only_records as restricted
from pyflink_jobs.planning.companions.only_records import within

PLACES = some.frozensets(some.tuples(some.integers(0, 2), some.integers(0, 12)))


@given(PLACES, some.sampled_from([(50, 2000), (2, 3), (0, 1)]))
def test_the_condition_holds_at_the_places_and_nowhere_else(
    places: frozenset[tuple[int, int]], sizes: tuple[int, int]
) -> None:
    few, chunk = sizes
    with (
        patch.object(restricted, "_FEW", few),
        patch.object(restricted, "_CHUNK", chunk),
        sqlite3.connect(":memory:") as database,
    ):
        database.execute("CREATE TABLE records (p INT, o INT)")
        database.executemany("INSERT INTO records VALUES (?, ?)", [(p, o) for p in range(4) for o in range(15)])
        found = database.execute(f"SELECT p, o FROM records WHERE {within('p', 'o', places)}").fetchall()
    assert sorted(found) == sorted(places)


def test_offsets_that_follow_one_another_are_a_range() -> None:
    condition = within("`p`", "`o`", [(1, 4), (0, 7), (0, 3), (0, 4), (0, 5), (0, 9)])
    assert condition == "(`p` = 0 AND (`o` IN (7, 9) OR `o` BETWEEN 3 AND 5)) OR (`p` = 1 AND (`o` IN (4)))"
    assert within("p", "o", []) == "FALSE"
