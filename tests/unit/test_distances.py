"""What every distance must satisfy, whatever it measures: one suite for all of them, against exact ones on raw samples.

A new distance needs one more entry in CASES.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.distributions.categorical import total_variation
from udfs.distributions.categories import CategoryCounts, choose_categories, count_categories
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.distributions.ks import ks
from udfs.distributions.psi import GROUPS, psi
from udfs.distributions.wasserstein import wasserstein

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from udfs.distributions.distance import Distance

    Sample = NDArray[Any]
    Count = Callable[[Sample], Any]


@dataclass(frozen=True, eq=False)
class Case:
    """A distance, its samples, how they are counted, and what is stated about it.

    `counter` returns, for a reference and a size, what counts samples in bins or categories chosen from the reference.
    `exact` is the distance of two raw samples without NULL, counted by the third argument; `most_hidden` returns, for
    two counted samples, the largest difference of `hi` and `lo` that is stated. `shifted` draws a sample of which a
    share, 0 to 1, is shifted.
    """

    distance: Callable[[Any, Any], Distance]
    samples: st.SearchStrategy[Sample]
    null: object
    counter: Callable[[Sample, int], Count]
    exact: Callable[[Sample, Sample, Count], float]
    most_hidden: Callable[[Any, Any], float]
    shifted: Callable[[np.random.Generator, float], Sample]
    symmetric: bool = True
    largest: float = np.inf
    tested: bool = False  # whether it has a p-value

    @cached_property
    def count(self) -> Count:
        """Count in bins or categories that are chosen once: that takes most of the time."""
        return self.counter(self.shifted(np.random.default_rng(0), 0), 256)


def count_numbers(reference: Sample, size: int) -> Callable[[Sample], Histogram]:
    bins = choose_bins(lambda: [reference], size)
    return lambda values: histogram(bins, values)


def count_texts(reference: Sample, size: int) -> Callable[[Sample], CategoryCounts]:
    names = choose_categories([reference], size)
    return lambda values: count_categories(names, values)


def exact_ks(reference: Sample, window: Sample, count: Count) -> float:
    del count
    with np.errstate(all="ignore"):  # of its p-value, for a sample of one
        return float(scipy.stats.ks_2samp(reference.astype(float), window.astype(float), method="asymp").statistic)


def exact_wasserstein(reference: Sample, window: Sample, count: Count) -> float:
    del count
    return float(scipy.stats.wasserstein_distance(reference.astype(float), window.astype(float)))


def exact_total_variation(reference: Sample, window: Sample, count: Count) -> float:
    del count
    f, g = Counter(reference), Counter(window)
    return sum(abs(f[name] / len(reference) - g[name] / len(window)) for name in {*f, *g}) / 2


def exact_psi(reference: Sample, window: Sample, count: Count) -> float:
    """Return the sum of both relative entropies over groups, which are found bin by bin."""
    f: Counter[int] = Counter()
    g: Counter[int] = Counter()
    upto = 0.0
    for n, other in zip(count(reference).counts.tolist(), count(window).counts.tolist(), strict=True):
        share = n / len(reference)
        upto += share
        group = min(int((upto - share / 2) * GROUPS), GROUPS - 1)  # of the middle of the bin's mass
        f[group] += n
        g[group] += other
    shares = [np.array([counts[group] + 0.5 for group in sorted(f)]) for counts in (f, g)]
    return float(scipy.stats.entropy(shares[1], shares[0]) + scipy.stats.entropy(shares[0], shares[1]))


def numbers(generator: np.random.Generator, shift: float) -> Sample:
    values = generator.normal(size=5000)
    return np.where(generator.random(5000) < shift, values + 3, values).astype(np.float32)


def texts(generator: np.random.Generator, shift: float) -> Sample:
    values = generator.choice(np.array(["a", "b", "c", "rare"], object), 5000, p=[0.5, 0.3, 0.15, 0.05])
    return np.where(generator.random(5000) < shift, "new", values).astype(object)


def array_of_texts(values: list[str]) -> Sample:
    return np.array(values, object)


NUMBERS = arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32) | st.integers(-3, 3).map(float)
)
TEXTS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60).map(array_of_texts)
CASES = [
    Case(
        ks,
        NUMBERS,
        np.nan,
        count_numbers,
        exact_ks,
        lambda reference, _: float(reference.shares[~reference.bins.single].max(initial=0)),
        numbers,
        largest=1,
        tested=True,
    ),
    Case(psi, NUMBERS, np.nan, count_numbers, exact_psi, lambda *_: 0, numbers, symmetric=False),
    Case(wasserstein, NUMBERS, np.nan, count_numbers, exact_wasserstein, lambda *_: np.inf, numbers),
    Case(
        total_variation,
        TEXTS,
        None,
        count_texts,
        exact_total_variation,
        lambda reference, window: min(reference.shares[-1], window.shares[-1]),
        texts,
        largest=1,
        tested=True,
    ),
]
each_distance = pytest.mark.parametrize("case", CASES, ids=lambda case: case.distance.__name__)
SIZES = st.sampled_from([2, 8, 256])


def same(a: Distance, b: Distance) -> bool:
    """Return whether two distances are equal to the bit."""
    return (a.lo, a.estimate, a.hi, a.p) == (b.lo, b.estimate, b.hi, b.p)


@each_distance
@given(data=st.data(), size=SIZES)
def test_the_exact_distance_is_between_the_bounds_which_are_as_close_as_stated(
    case: Case, data: st.DataObject, size: int
) -> None:
    reference, window = data.draw(case.samples), data.draw(case.samples)
    count = case.counter(reference, size)
    counted = count(reference), count(window)
    found = case.distance(*counted)
    exact = case.exact(reference, window, count)
    rounding = 1e-9 * max(1.0, exact)
    assert found.lo - rounding <= exact <= found.hi + rounding
    assert found.lo - rounding <= found.estimate <= found.hi + rounding
    assert found.hi <= found.lo + case.most_hidden(*counted) + rounding
    assert 0 <= found.lo <= case.largest + rounding
    assert (found.p is not None) == case.tested
    assert found.p is None or 0 <= found.p <= 1


@each_distance
@settings(max_examples=50)
@given(data=st.data())
def test_a_sample_has_no_distance_from_itself(case: Case, data: st.DataObject) -> None:
    counted = case.count(data.draw(case.samples))
    found = case.distance(counted, counted)
    assert (found.lo, found.estimate) == (0, 0)
    assert found.p in (None, 1)


@each_distance
@settings(max_examples=50)
@given(data=st.data())
def test_it_is_symmetric_if_stated(case: Case, data: st.DataObject) -> None:
    a, b = (case.count(data.draw(case.samples)) for _ in range(2))
    one, other = case.distance(a, b), case.distance(b, a)
    if case.symmetric:
        bounds = [other.lo, other.estimate, other.hi]
        assert [one.lo, one.estimate, one.hi] == pytest.approx(bounds, rel=1e-9, abs=1e-12)


def test_the_population_stability_index_is_not_symmetric() -> None:
    values = np.arange(4, dtype=np.float32)
    reference, window = (np.repeat(values, n) for n in ([1, 1, 1, 97], [70, 10, 10, 10]))
    count = count_numbers(values, 256)
    one, other = psi(count(reference), count(window)), psi(count(window), count(reference))
    assert one.estimate != pytest.approx(other.estimate, rel=0.01)


@each_distance
@settings(max_examples=50)
@given(data=st.data(), nulls=st.integers(0, 3), seed=st.integers(0, 2**32), cuts=st.integers(1, 5))
def test_order_batches_and_nulls_of_a_window_do_not_matter(
    case: Case, data: st.DataObject, nulls: int, seed: int, cuts: int
) -> None:
    count = case.count
    reference, window = count(data.draw(case.samples)), data.draw(case.samples)
    whole = case.distance(reference, count(window))
    with_nulls = np.concatenate((window, np.full(nulls, case.null, window.dtype)))
    shuffled = np.random.default_rng(seed).permutation(with_nulls)
    added, *others = [count(batch) for batch in np.array_split(shuffled, cuts)]
    for other in others:
        added += other
    assert same(case.distance(reference, added), whole)
    assert added.nulls == nulls


@each_distance
def test_it_grows_with_the_share_that_is_shifted(case: Case) -> None:
    generator = np.random.default_rng(1)
    reference = case.shifted(generator, 0)
    count = case.counter(reference, 256)
    found = [
        case.distance(count(reference), count(case.shifted(generator, shift))).estimate for shift in (0, 0.2, 0.5, 1)
    ]
    assert found == sorted(found)
    assert found[0] < found[1] / 4


@each_distance
def test_a_sample_without_a_value_is_refused(case: Case) -> None:
    values = case.shifted(np.random.default_rng(1), 0)
    count = case.counter(values, 256)
    for none in (values[:0], np.full(3, case.null, values.dtype)):
        for samples in ((values, none), (none, values)):
            with pytest.raises(ValueError, match="no distribution"):
                case.distance(*map(count, samples))
