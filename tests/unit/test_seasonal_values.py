"""False alarms where the mean follows the hour of the day and the weekend: a reference for each hour prevents them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from bench.windows import column, counts_of, distances
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.drift.thresholds import ALPHA, D_MIN, margin

N = 500  # values in an hour, which is a window
HOURS = 168
WEEKS = 8  # of reference data
BINS = 64
WEEKS_WITHOUT_DRIFT = 2

# Which reference each hour of the week is compared with.
KEYS = {"all hours": np.zeros(HOURS, int), "hour of week": np.arange(HOURS)}
MEANS = np.sin(2 * np.pi * np.arange(HOURS) / 24) + np.where(np.arange(HOURS) // 24 >= 5, 0.5, 0.0)

Shares = dict[str, NDArray[np.float64]]


def fired(
    plain: Histogram, keys: NDArray[np.int_], seen: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the shares beyond the margin, with d_min 0 and with the default, of counts (weeks, hours, bins)."""
    shares = np.empty((2, HOURS))
    for hour, key in enumerate(keys):
        reference = Histogram(plain.bins, seen[keys == key].sum(axis=0), 0, plain.least, plain.most)
        d = distances(reference, counts[:, hour], N)
        shares[:, hour] = [np.mean(d > margin(N, int(reference.n), d_min, ALPHA)) for d_min in (0.0, D_MIN)]
    hard, default = shares.mean(axis=1)
    return float(hard), float(default)


@pytest.fixture(scope="module", params=[15, pytest.param(50, marks=pytest.mark.slow)])
def shares(request: pytest.FixtureRequest) -> Shares:
    """Return shares that fire, shape (references, 2), by how the references are keyed."""
    generator = np.random.default_rng(3)
    found = {name: np.empty((request.param, 2)) for name in KEYS}
    for number in range(request.param):
        sample = generator.normal(np.repeat(MEANS, N)).astype(np.float32)
        plain = histogram(choose_bins(lambda: [sample], BINS), sample)  # noqa: B023 - called at once
        truth = np.diff(norm.cdf(plain.bins.positions - MEANS[:, None]), prepend=0, append=1)
        seen = generator.multinomial(N * WEEKS, truth)
        counts = generator.multinomial(N, truth, (WEEKS_WITHOUT_DRIFT, HOURS))
        for name, keys in KEYS.items():
            found[name][number] = fired(plain, keys, seen, counts)
    return found


def test_a_single_reference_fires_nearly_always(shares: Shares) -> None:
    hard = shares["all hours"][:, 0]
    assert hard.min() > 0.9


def test_references_by_hour_of_week_keep_the_level(shares: Shares) -> None:
    assert shares["hour of week"].max() <= ALPHA


def test_a_seasonal_reference_still_finds_a_shift_in_its_hour() -> None:
    generator = np.random.default_rng(0)
    rows = N * WEEKS
    drawn = column(generator, rows, BINS)
    moved = counts_of(drawn.reference, generator.normal(1, 1, (100, N)))
    assert (distances(drawn.reference, moved, N) > margin(N, rows)).all()
