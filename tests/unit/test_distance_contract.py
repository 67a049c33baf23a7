"""What each comparison of a window with its reference must keep to, whatever it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from udfs.distributions.categorical import total_variation
from udfs.distributions.categories import Categories, CategoryCounts, count_categories
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.distributions.ks import ks
from udfs.distributions.psi import psi
from udfs.distributions.wasserstein import wasserstein

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from udfs.distributions.distance import Distance

Counted = Histogram | CategoryCounts
SEEDS = range(20)


@dataclass(frozen=True)
class Case:
    """A test, and how to draw and count samples for it; `shift` moves a share of the values, 0 to 1."""

    test: Callable[[Any, Any], Distance]
    draw: Callable[[np.random.Generator, int, float], NDArray[Any]]
    count: Callable[[NDArray[Any]], Counted]


def numbers(generator: np.random.Generator, n: int, shift: float) -> NDArray[np.float32]:
    values = generator.normal(size=n)
    return np.where(generator.random(n) < shift, values + 3, values).astype(np.float32)


def texts(generator: np.random.Generator, n: int, shift: float) -> NDArray[np.object_]:
    values = generator.choice(np.array(["a", "b", "c", "rare"], object), n, p=[0.5, 0.3, 0.15, 0.05])
    return np.where(generator.random(n) < shift, "new", values).astype(object)


REFERENCE = numbers(np.random.default_rng(0), 20_000, 0)
BINS = choose_bins(lambda: [REFERENCE])
NAMES = Categories(("a", "b", "c"))
CASES = {
    test.__name__: Case(test, draw, count)
    for test, draw, count in (
        (ks, numbers, lambda values: histogram(BINS, values)),
        (psi, numbers, lambda values: histogram(BINS, values)),
        (wasserstein, numbers, lambda values: histogram(BINS, values)),
        (total_variation, texts, lambda values: count_categories(NAMES, values)),
    )
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_estimate_lies_between_the_bounds_and_p_is_a_probability(case: Case, seed: int) -> None:
    generator = np.random.default_rng(seed)
    samples = [case.count(case.draw(generator, int(generator.integers(1, 3000)), shift)) for shift in (0, 0.3)]
    found = case.test(*samples)
    assert 0 <= found.lo <= found.estimate + 1e-12
    assert found.estimate <= found.hi + 1e-12
    assert found.p is None or 0 <= found.p <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_and_how_they_came_together_do_not_matter(case: Case, seed: int) -> None:
    generator = np.random.default_rng(seed)
    reference = case.count(case.draw(generator, 2000, 0))
    values = case.draw(generator, 500, 0.2)
    whole = case.test(reference, case.count(values))
    cut = int(generator.integers(1, 500))
    shuffled = generator.permutation(values)
    parts: Any = case.count(shuffled[:cut])
    assert case.test(reference, parts + case.count(shuffled[cut:])) == whole


def test_a_sample_is_no_way_from_itself_and_further_the_more_of_it_is_shifted(case: Case) -> None:
    generator = np.random.default_rng(1)
    values = case.draw(generator, 5000, 0)
    same = case.count(values)
    assert case.test(same, same).estimate == pytest.approx(0, abs=1e-12)
    further = [case.test(same, case.count(case.draw(generator, 5000, shift))).estimate for shift in (0, 0.2, 0.5, 1)]
    assert further == sorted(further)


def test_a_sample_without_a_value_is_refused(case: Case) -> None:
    values = case.draw(np.random.default_rng(1), 100, 0)
    for samples in ((values, values[:0]), (values[:0], values)):
        with pytest.raises(ValueError, match="without a value"):
            case.test(*map(case.count, samples))
