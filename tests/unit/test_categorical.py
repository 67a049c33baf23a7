"""Counts of categories against collections.Counter, their distance against all categories counted one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from udfs.distributions.categorical import total_variation
from udfs.distributions.categories import Categories, CategoryCounts, choose_categories, count_categories

VALUES = st.lists(st.none() | st.sampled_from("abcdefgh") | st.text(max_size=3), max_size=60)
SOME = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60)


def counted(categories: Categories, values: list[str | None]) -> CategoryCounts:
    return count_categories(categories, np.array(values, object))


@given(values=VALUES, names=st.lists(st.sampled_from("abcd"), unique=True))
def test_each_value_is_counted_once(values: list[str | None], names: list[str]) -> None:
    found = counted(Categories(tuple(names)), values)
    truth = Counter(values)
    known = [truth[name] for name in names]
    assert found.counts.tolist() == [*known, len(values) - truth[None] - sum(known)]
    assert found.nulls == truth[None]


@given(values=VALUES, at=st.integers(0, 60))
def test_counts_of_parts_add_up(values: list[str | None], at: int) -> None:
    names = Categories(("a", "b"))
    added = counted(names, values[:at]) + counted(names, values[at:])
    whole = counted(names, values)
    assert (added.counts.tolist(), added.nulls) == (whole.counts.tolist(), whole.nulls)
    with pytest.raises(ValueError, match="different categories"):
        added + counted(Categories(("b", "a")), values)


def test_the_most_frequent_categories_are_chosen_across_chunks() -> None:
    chunks = [np.array(part, object) for part in (["b", "a", None], ["c", "b", "c"], ["c"])]
    assert choose_categories(chunks, 2) == Categories(("c", "b"))
    assert choose_categories(chunks) == Categories(("c", "b", "a"))
    with pytest.raises(ValueError, match="no distribution"):
        choose_categories([np.array([None], object)])


def test_the_p_value_is_scipys_with_rare_categories_pooled() -> None:
    names = Categories(("a", "b", "c", "d"))
    reference = CategoryCounts(names, np.array([500, 300, 190, 6, 4]), 0)
    window = CategoryCounts(names, np.array([40, 40, 18, 1, 1]), 0)
    pooled = scipy.stats.chi2_contingency([[500, 300, 190, 10], [40, 40, 18, 2]], correction=False)
    assert total_variation(reference, window).p == pytest.approx(pooled.pvalue)


def test_one_category_alone_shows_no_drift_and_a_new_one_does() -> None:
    names = Categories(("a",))
    same, new = counted(names, ["a"] * 100), counted(names, ["z"] * 100)
    assert total_variation(same, same).p == 1
    found = total_variation(same, new)
    assert (found.lo, found.hi) == (1, 1)
    assert found.p is not None
    assert found.p < 1e-9


def test_false_alarms_are_as_many_as_the_level() -> None:
    generator = np.random.default_rng(1)
    names = Categories(tuple("abcdefghi"))
    truth = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.01, 0.005, 0.005])
    draws = [CategoryCounts(names, generator.multinomial(2000, truth), 0) for _ in range(6000)]
    p = [total_variation(a, b).p or 0.0 for a, b in zip(draws[::2], draws[1::2], strict=True)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.01)  # 2.5 standard errors
