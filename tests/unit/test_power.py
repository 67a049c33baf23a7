"""How often and how soon drift opens an alarm: by windows alone and by sums of them."""

from __future__ import annotations

import numpy as np
import pytest

from bench import power
from bench.windows import column
from udfs.drift.thresholds import D_MIN

BINS = 64
RUNS = 20


def simulate(drift: str, d_min: float) -> power.Delays:
    generator = np.random.default_rng(0)
    reference = column(generator, power.REFERENCE_ROWS, BINS)
    return power.simulate(reference, power.DRIFTS[drift], d_min, RUNS, generator)


@pytest.mark.parametrize("drift", [name for name in power.DRIFTS if name != "mean + .1 sd"])
def test_two_windows_and_their_sums_find_each_drift_where_no_least_shift_is_set(drift: str) -> None:
    found = simulate(drift, 0)
    assert np.isfinite(found.summed).all()
    assert (found.summed > 0).all()
    assert np.median(found.summed) <= 4 * power.N


def test_a_slow_small_shift_is_found_by_sums() -> None:
    found = simulate("mean + .1 sd", 0)
    assert np.isfinite(found.summed).all()
    assert np.median(found.summed) < 10 * power.N < np.median(found.alone)


@pytest.mark.parametrize("drift", ["mean + .5 sd", "mean + 1 sd"])
def test_shifts_well_above_d_min_open_an_alarm_within_three_windows(drift: str) -> None:
    found = simulate(drift, D_MIN)
    assert (found.alone > 0).all()
    assert (found.alone <= 3 * power.N).all()


@pytest.mark.parametrize("drift", ["mean + .1 sd", "mean + .25 sd", "sd x 1.3", "Laplace, same mean and sd"])
def test_shifts_below_d_min_open_none(drift: str) -> None:
    assert np.isinf(simulate(drift, D_MIN).summed).all()
