"""How often and how soon drift opens an alarm: by windows alone, by sums of them, and beside ADWIN."""

from __future__ import annotations

import numpy as np
import pytest

from bench import power
from bench.adwin import adwin, changes
from bench.beside_adwin import ALPHAS, DELTA, DRIFTS, delays
from bench.false_rates import of_sums
from bench.trailing import LENGTHS, N, distances_of_latest, fires
from bench.windows import column, distances
from udfs.drift.thresholds import D_MIN, verdict

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


def test_sums_of_the_latest_windows_are_compared_as_their_counts_added_up() -> None:
    generator = np.random.default_rng(0)
    drawn = column(generator, 100_000, BINS)
    counts = generator.multinomial(N, drawn.truth, 40)
    found = distances_of_latest(drawn.reference, counts)
    for i, length in enumerate(LENGTHS[:9]):
        for end in range(length, 41):
            d = distances(drawn.reference, counts[end - length : end].sum(axis=0), N * length)
            assert found[i, end - 1] == pytest.approx(float(d))
    said = [
        any(verdict(found[i, t], N * length, 100_000, 0, 0.3) == "drift" for i, length in enumerate(LENGTHS))
        for t in range(40)
    ]
    assert any(said)
    assert fires(found, 100_000, 0.3).tolist() == said


def test_sums_of_the_latest_windows_are_rarely_wrong() -> None:
    alarms = of_sums(np.random.default_rng(0), 3_000_000)
    assert alarms[0] <= 4  # one is expected, see docs/performance.md
    assert alarms[1] <= 1


def test_sums_see_drift_about_as_soon_as_adwin_and_where_it_sees_none() -> None:
    generator = np.random.default_rng(0)
    past = generator.normal(size=100_000)
    warm = adwin(DELTA)
    assert changes(warm, past) == []
    reference = column(generator, 1_000_000, BINS).reference
    for drift, draw in DRIFTS.items():
        runs = 20 if drift in ("mean + .5 sd", "mean + 1 sd") else 3
        found = np.array([delays(generator, reference, warm, draw) for _ in range(runs)]).T
        assert np.isfinite(found[1 + ALPHAS.index(1e-5)]).all()
        if runs > 3:
            assert np.median(found[1]) <= 1.3 * np.median(found[0])
        if "same mean" in drift:
            assert np.isinf(found[0]).all()
