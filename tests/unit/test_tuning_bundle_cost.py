"""What a bundle costs, from noisy measurements, and the p99 that follows, against a simulated operator."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.tuning.bundle_cost import TIMES, BundleCost, cycle, fit, longest_time

SIZES = (500, 1000, 2000, 5000, 20000)
costs = st.builds(BundleCost, st.floats(1e-4, 0.05), st.floats(1e-7, 1e-4))


@given(costs)
def test_the_fit_of_exact_measurements_is_exact(cost: BundleCost) -> None:
    found = fit({size: [cost.of(size)] * 2 for size in SIZES})
    assert math.isclose(found.fixed, cost.fixed, rel_tol=1e-6)
    assert math.isclose(found.row, cost.row, rel_tol=1e-6)


@given(costs, st.integers(0, 2**32))
def test_the_fit_of_noisy_measurements_predicts_them(cost: BundleCost, seed: int) -> None:
    errors = np.random.default_rng(seed).uniform(-0.05, 0.05, (len(SIZES), 2)) + 1
    found = fit({size: (cost.of(size) * error).tolist() for size, error in zip(SIZES, errors, strict=True)})
    assert found.fixed >= 0
    assert found.row >= 0
    # Each measurement is within 5 % of the truth, so the squares of the fit are at most those of the truth.
    for size in SIZES:
        assert abs(found.of(size) / cost.of(size) - 1) < 0.35


def test_no_part_is_negative_where_the_measurements_would_have_it_so() -> None:
    assert fit({1000: [0.01], 20000: [0.4]}).fixed == 0


def simulated(cost: BundleCost, rate: float, milliseconds: int) -> list[float]:
    """Return the waits of rows that come evenly at an operator that works as Flink's does, tick by tick."""
    step = milliseconds / 1000
    waits: list[float] = []
    came, taken, ended, tick = 0.0, 0.0, 0.0, step
    while len(waits) < 20_000:
        if tick - ended < step - 1e-9:  # the last bundle ended too short a time ago
            tick += step
            continue
        came = tick
        rows = np.arange(math.ceil(taken * rate), math.ceil(came * rate)) / rate
        ended = tick + cost.of(len(rows))
        waits += (ended - rows).tolist()
        taken = came
        tick = step * math.ceil(ended / step - 1e-9)  # ticks that passed meanwhile found a bundle that had just ended
    return waits[len(waits) // 2 :]


@pytest.mark.parametrize("milliseconds", [1, 2, 5, 10, 50, 100])
@pytest.mark.parametrize("cost", [BundleCost(0.0113, 4e-6), BundleCost(0.0031, 1e-5)])
def test_the_formula_gives_the_p99_of_an_operator_that_waits_as_flinks_does(
    cost: BundleCost, milliseconds: int
) -> None:
    found = cycle(cost, 2000, milliseconds)
    assert found is not None
    p50, p99 = np.quantile(simulated(cost, 2000, milliseconds), [0.5, 0.99])
    assert math.isclose(found.p99, p99, rel_tol=0.05)
    assert math.isclose(found.p50, p50, rel_tol=0.05)


def test_a_subtask_that_gets_more_rows_than_it_can_score_has_no_cycle() -> None:
    assert cycle(BundleCost(0.01, 1e-4), 20_000, 10) is None


@given(costs, st.floats(1, 1e4), st.floats(0.001, 1))
def test_the_longest_time_keeps_the_limit_and_no_longer_one_does(cost: BundleCost, rate: float, limit: float) -> None:
    time, kept = longest_time(cost, rate, limit)
    p99 = {each: found.p99 for each in TIMES if (found := cycle(cost, rate, each))}
    if kept:
        assert p99[time] <= limit
        assert all(p99[each] > limit for each in p99 if each > time)
    elif p99:
        assert p99[time] == min(p99.values()) > limit
