"""The multiset arithmetic of the test kit's diff, against collections.Counter."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.testkit.diff import compare

_CELLS = st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["EWR", "JFK"]), st.just(math.nan))
_TABLES = st.lists(st.tuples(_CELLS, _CELLS, _CELLS), max_size=8)
_EXACT = [False, False, False]


@given(_TABLES, _TABLES)
def test_what_is_missing_and_unexpected_is_the_difference_of_the_multisets(
    expected: list[tuple[object, ...]], found: list[tuple[object, ...]]
) -> None:
    diff = compare(expected, found, _EXACT)  # type: ignore[arg-type]  # object is wider than Value
    missing = [*diff.missing, *(position for position, _ in diff.changed)]
    unexpected = [*diff.unexpected, *(row for _, row in diff.changed)]
    assert Counter(expected[position] for position in missing) == Counter(expected) - Counter(found)
    assert Counter(unexpected) == Counter(found) - Counter(expected)
    assert len(set(missing)) == len(missing)
    assert bool(diff) == (Counter(expected) != Counter(found))


@given(_TABLES, _TABLES)
def test_changed_rows_agree_in_at_least_half_of_their_columns_and_no_more_pairs_could_be_made(
    expected: list[tuple[object, ...]], found: list[tuple[object, ...]]
) -> None:
    def agreeing(a: tuple[object, ...], b: tuple[object, ...]) -> int:
        return sum(x is y or x == y for x, y in zip(a, b, strict=True))

    diff = compare(expected, found, _EXACT)  # type: ignore[arg-type]  # object is wider than Value
    assert all(agreeing(expected[position], row) == 2 for position, row in diff.changed)
    assert all(agreeing(expected[position], row) < 2 for position in diff.missing for row in diff.unexpected)


@given(_TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[object, ...]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert not compare(rows, shuffled, _EXACT)  # type: ignore[arg-type]  # object is wider than Value


def test_multiplicity_matters() -> None:
    diff = compare([("EWR", 1)], [("EWR", 1), ("EWR", 1)], [False, False])
    assert (diff.missing, diff.unexpected, diff.changed) == ([], [("EWR", 1)], [])


def test_a_double_may_differ_by_a_billionth_and_nothing_else_may() -> None:
    near, far = 0.1 * (1 + 5e-10), 0.1 * (1 + 5e-9)
    assert not compare([("a", 0.1)], [("a", near)], [False, True])
    assert compare([("a", 0.1)], [("a", far)], [False, True]).changed == [(0, ("a", far))]
    assert compare([("a", 0.1)], [("a", near)], [False, False]).changed == [(0, ("a", near))]


def test_the_closest_rows_are_paired() -> None:
    diff = compare([("a", 1, 1), ("b", 2, 2)], [("b", 2, 3), ("a", 1, 3)], _EXACT)
    assert diff.changed == [(0, ("a", 1, 3)), (1, ("b", 2, 3))]


def test_nan_equals_nan_and_null_equals_null() -> None:
    assert not compare([(math.nan, None)], [(math.nan, None)], [True, True])
    assert compare([(math.nan,)], [(None,)], [True])
