"""Distances of numbers on large samples of many kinds, against scipy's; p-values, known cases, histograms that add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

from udfs.distributions.bins import Bins
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.distributions.ks import ks
from udfs.distributions.psi import psi
from udfs.distributions.wasserstein import wasserstein

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Sample = NDArray[np.float32]

DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda g, n: g.normal(g.normal(), g.uniform(0.5, 2), n),
    "far from zero": lambda g, n: g.normal(1000 + g.normal(), 1, n),
    "lognormal": lambda g, n: g.lognormal(g.normal() / 4, 1, n),
    "integers": lambda g, n: g.poisson(g.uniform(3, 6), n).astype(float),
    "mostly zero": lambda g, n: np.where(g.random(n) < g.uniform(0.8, 0.99), 0, g.exponential(1, n)),
    "scores": lambda g, n: 1 / (1 + np.exp(-g.normal(4, g.uniform(1, 2), n))),
    "ties": lambda g, n: np.round(g.normal(g.normal(), 1, n), 1),
}


def count(reference: Sample, window: Sample) -> tuple[Histogram, Histogram]:
    chosen = choose_bins(lambda: [reference])
    return histogram(chosen, reference), histogram(chosen, window)


def exact_ks(reference: Sample, window: Sample) -> float:
    with np.errstate(all="ignore"):  # of its p-value, for a sample of one
        return float(scipy.stats.ks_2samp(reference, window, method="asymp").statistic)


def check_bounds(reference: Sample, window: Sample) -> None:
    """Check both distances' bounds, and how far apart those of the first one are at most."""
    counted = count(reference, window)
    for test, exact in ((ks, exact_ks), (wasserstein, scipy.stats.wasserstein_distance)):
        truth = exact(reference.astype(np.float64), window.astype(np.float64))
        found = test(*counted)
        rounding = 1e-9 * max(1.0, truth)
        assert found.lo - rounding <= truth <= found.hi + rounding, test
        assert found.lo - rounding <= found.estimate <= found.hi + rounding, test
    wide = counted[0].shares[~counted[0].bins.single].max(initial=0)
    distance = ks(*counted)
    assert distance.hi <= distance.lo + wide + 1e-12


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("pairs", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_the_exact_distance_lies_between_the_bounds_for_large_samples(name: str, pairs: int) -> None:
    generator = np.random.default_rng(len(name))
    for _ in range(pairs):
        sizes = (10 ** generator.uniform(0, 4, 2)).astype(int)
        reference, window = (DISTRIBUTIONS[name](generator, n).astype(np.float32) for n in sizes)
        check_bounds(reference, window)


def test_the_p_value_is_near_the_exact_one() -> None:
    bins = Bins(np.array([1.0], np.float32))
    reference = histogram(bins, np.ones(10**6, np.float32))
    for n in (20, 100, 1000):
        for shifted in (int(c * np.sqrt(n)) for c in (0.5, 1.0, 1.5)):
            window = histogram(bins, np.repeat(np.array([0, 1], np.float32), [shifted, n - shifted]))
            found = ks(reference, window)
            assert found.lo == pytest.approx(shifted / n)
            assert found.p == pytest.approx(scipy.stats.kstwo.sf(shifted / n, n), abs=0.01)


def test_psi_of_a_hand_computed_case() -> None:
    bins = Bins(np.array([1.0], np.float32))
    reference = histogram(bins, np.repeat(np.array([0, 1], np.float32), [50, 50]))
    window = histogram(bins, np.repeat(np.array([0, 1], np.float32), [90, 10]))
    f, g = np.array([50.5, 50.5]) / 101, np.array([90.5, 10.5]) / 101
    assert psi(reference, window).estimate == pytest.approx(sum((g - f) * np.log(g / f)))


def test_psi_is_small_without_drift_and_large_with_it() -> None:
    generator = np.random.default_rng(3)
    reference, same = (generator.normal(size=n).astype(np.float32) for n in (100_000, 2000))
    assert psi(*count(reference, same)).estimate < 0.02
    assert psi(*count(reference, same + np.float32(1))).estimate > 0.25


def test_infinite_values_are_infinitely_far_but_counted() -> None:
    reference = np.linspace(0, 1, 1000, dtype=np.float32)
    window = np.append(reference, np.float32(np.inf))
    counted = count(reference, window)
    assert wasserstein(*counted).estimate == np.inf
    assert ks(*counted).lo == pytest.approx(exact_ks(reference, window), abs=0.005)


def test_histograms_of_other_bins_are_not_added() -> None:
    one, other = (histogram(Bins(np.array([edge], np.float32)), np.ones(3, np.float32)) for edge in (0, 1))
    with pytest.raises(ValueError, match="different bins"):
        one + other
