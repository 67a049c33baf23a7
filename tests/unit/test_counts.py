"""Counts of several columns: each row once, in any groups, against one column counted alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.distributions.bins import Bins
from udfs.distributions.categories import Categories, CategoryCounts, count_categories
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count, count_groups, empty
from udfs.distributions.histogram import Histogram, histogram
from udfs.drift.season import PARTS, part_of

NUMBERS, TEXTS = Bins(np.array([-1, 0, 0.5, 100], np.float32)), Categories(("a", "b"))
FEATURES = Features(("x", "where"), (NUMBERS, TEXTS))
ROWS = st.lists(
    st.tuples(
        st.floats(width=32) | st.sampled_from([-0.0, 0.0, -1.0, 0.5, 100.0]),
        st.sampled_from(["a", "b", "c", None]),
        st.integers(0, 3),
    ),
    max_size=40,
)


def columns(rows: list[tuple[float, str | None, int]]) -> list[Any]:
    return [np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], object)]


def same(a: Counts, b: Counts) -> None:
    np.testing.assert_array_equal(a.cells, b.cells)
    np.testing.assert_array_equal(a.least, b.least)
    np.testing.assert_array_equal(a.most, b.most)


@given(rows=ROWS)
def test_columns_are_counted_as_if_alone(rows: list[tuple[float, str | None, int]]) -> None:
    values = columns(rows)
    found = count(FEATURES, values)
    assert found.rows == len(rows)
    numbers, texts = found.column(0), found.column(1)
    alone = histogram(NUMBERS, values[0])
    assert isinstance(numbers, Histogram)
    assert isinstance(texts, CategoryCounts)
    assert (numbers.counts.tolist(), numbers.nulls) == (alone.counts.tolist(), alone.nulls)
    assert (numbers.least, numbers.most) == (alone.least, alone.most)
    assert texts.counts.tolist() == count_categories(TEXTS, values[1]).counts.tolist()


@given(rows=ROWS)
def test_groups_add_up_to_what_each_row_counts_for(rows: list[tuple[float, str | None, int]]) -> None:
    kept, group = np.unique([row[2] for row in rows], return_inverse=True)
    found = count_groups(FEATURES, columns(rows), group, len(kept)) if rows else []
    for key, counts in zip(kept, found, strict=True):
        same(counts, count(FEATURES, columns([row for row in rows if row[2] == key])))
    same(sum(found, empty(FEATURES)), count(FEATURES, columns(rows)))


def test_a_selection_keeps_its_columns_counts() -> None:
    rows = [(1.0, "a", 0), (2.0, None, 0)]
    texts = FEATURES.select(("where",))
    same(count(FEATURES, columns(rows)).select(texts), count(texts, columns(rows)[1:]))
    assert [part.names for part in FEATURES.groups(1)] == [("x",), ("where",)]


def test_counts_of_other_features_are_not_added() -> None:
    other = Features(("y", "where"), FEATURES.columns)
    with pytest.raises(ValueError, match="different features"):
        empty(FEATURES) + empty(other)


@given(seconds=st.integers(0, 2**32))
def test_parts_of_seasons_are_those_of_the_calendar(seconds: int) -> None:
    time = datetime.fromtimestamp(seconds, UTC)
    expected = {
        "none": 0,
        "hour of day": time.hour,
        "day of week": time.weekday(),
        "hour of week": time.weekday() * 24 + time.hour,
    }
    assert {season: part_of(season, seconds) for season in PARTS} == expected
