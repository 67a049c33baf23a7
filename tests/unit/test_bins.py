"""Bins against numpy.searchsorted and against the values themselves; their masses against the promise."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.distributions.bins import Bins, above, below
from udfs.distributions.choose_bins import choose_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = st.floats(width=32, allow_nan=False) | st.integers(-2, 2).map(float)
GENERATOR = np.random.default_rng(0)
COLUMNS = {
    "normal": GENERATOR.normal(size=100_000),
    "far from zero": GENERATOR.normal(1000, 1, 100_000),
    "very far from zero": GENERATOR.normal(1e6, 3, 100_000),
    "lognormal": GENERATOR.lognormal(0, 3, 100_000),
    "near one": 1 - GENERATOR.lognormal(-6, 1, 100_000),
    "mostly zero": np.where(GENERATOR.random(100_000) < 0.93, 0, GENERATOR.exponential(0.1, 100_000)),
    "integers": GENERATOR.poisson(40, 100_000),
    "hours": GENERATOR.integers(0, 24, 100_000),
    "two spikes": np.concatenate((GENERATOR.normal(-500, 0.01, 50_000), GENERATOR.normal(500, 0.01, 50_000))),
    "an outlier": np.append(GENERATOR.normal(size=99_999), 1e6),
    "constant": np.full(1000, 7.25),
    "infinite": np.append(GENERATOR.normal(size=1000), [np.inf, -np.inf, np.nan]),
    "much infinity": np.repeat([np.inf, -np.inf, 0, np.nan, 1], 100),
    "one value": np.array([3.0]),
    "subnormal": GENERATOR.normal(size=1000) * 1e-42,
}


def column(name: str) -> NDArray[np.float32]:
    return COLUMNS[name].astype(np.float32)


@given(
    edges=st.lists(st.tuples(NUMBERS, st.booleans()), max_size=12),
    values=arrays(np.float32, st.integers(0, 50), elements=NUMBERS | st.just(float("nan"))),
)
def test_every_value_is_counted_in_the_bin_that_holds_it(
    edges: list[tuple[float, bool]], values: NDArray[np.float32]
) -> None:
    starts = np.array([edge for edge, _ in edges], np.float32)
    around_one = above(starts)[np.array([alone for _, alone in edges], bool)]
    bins = Bins(np.unique(np.concatenate((starts, around_one)) + np.float32(0)))
    values = np.concatenate((values, bins.edges, -bins.edges, above(bins.edges), below(bins.edges)))
    counts = bins.count(values)
    inside = [np.append(-np.inf, bins.edges), np.append(bins.edges, np.inf)]
    for j in range(bins.size):
        last = (j == bins.size - 1) & (values == np.inf)
        assert counts[j] == np.sum((values >= inside[0][j]) & (values < inside[1][j]) | last)
    assert counts[-1] == np.isnan(values).sum()
    assert counts.sum() == len(values)


@pytest.mark.parametrize("name", COLUMNS)
def test_no_bin_holds_more_than_a_hundredth_but_single_values(name: str) -> None:
    values = column(name)
    bins = choose_bins(lambda: np.array_split(values, 7))
    counts = bins.count(values)[:-1]
    assert counts.sum() == np.sum(~np.isnan(values))
    assert counts[~bins.single].max(initial=0) <= max(0.01 * len(values), 1)
    assert bins.size < 2 * 256
    np.testing.assert_array_equal(bins.edges, np.unique(bins.edges))


@pytest.mark.parametrize("name", ["normal", "far from zero", "lognormal", "near one"])
def test_few_values_have_to_be_searched_for(name: str) -> None:
    values = column(name)
    bins = choose_bins(lambda: [values])
    cells = bins.centered(values).view(np.uint32) >> 16
    assert bins.cut[cells].mean() < 0.15


def test_a_column_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="no distribution"):
        choose_bins(lambda: [np.array([np.nan], np.float32)])


def test_a_bin_into_which_neighbours_are_rounded_holds_more_than_one_value() -> None:
    edges = np.append(np.float32(-1000), above(np.array([-1000], np.float32)))
    assert Bins(edges, np.float32(1000)).centered(np.array([0, 1e-6], np.float32)).tolist() == [-1000, -1000]
    assert Bins(edges, np.float32(1000)).single.tolist() == [False, False, False]
    assert Bins(edges).single.tolist() == [False, True, False]


def test_bins_travel_without_their_table() -> None:
    bins = choose_bins(lambda: [column("normal")])
    counts = bins.count(column("normal"))
    data = pickle.dumps(bins)
    assert len(data) < 2000
    np.testing.assert_array_equal(pickle.loads(data).count(column("normal")), counts)  # noqa: S301 - our own bytes
