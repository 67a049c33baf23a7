"""False alarms and power of the margin rule by simulation, for each reference; alarms by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

from udfs.drift.alarm import Alarm, next_alarm
from udfs.drift.thresholds import LEAST_N, margin, verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.drift.thresholds import Verdict

BINS = 256


def distances(
    generator: np.random.Generator, reference: NDArray[np.float64], truth: NDArray[np.float64], n: int, windows: int
) -> NDArray[np.float64]:
    """Return D_lo of windows drawn from `truth`, both as shares of the same bins."""
    counts = generator.multinomial(n, truth, windows)
    d: NDArray[np.float64] = np.abs(np.cumsum(counts / n - reference, axis=1)).max(axis=1)
    return d


@pytest.mark.parametrize("n", [100, 1000])
def test_false_alarms_stay_below_alpha_for_each_reference(n: int) -> None:
    generator = np.random.default_rng(n)
    truth = np.full(BINS, 1 / BINS)
    alpha, n_reference, windows = 0.05, 5000, 2000
    shares = []
    for _ in range(50):
        reference = generator.multinomial(n_reference, truth) / n_reference
        d = distances(generator, reference, truth, n, windows)
        shares.append(np.mean(d > margin(n, n_reference, 0, alpha)))
    assert max(shares) <= alpha
    assert max(shares) > 0  # a rule that never fires is no rule


def test_a_shift_below_d_min_is_no_drift_and_one_well_above_is() -> None:
    generator = np.random.default_rng(0)
    n, n_reference = 20_000, 100_000
    edges = scipy.stats.norm.ppf(np.arange(1, BINS) / BINS)

    def shares(shift: float) -> NDArray[np.float64]:
        return np.diff(np.concatenate(([0], scipy.stats.norm.cdf(edges, loc=shift), [1])))

    def fired(distance: float) -> float:
        """Return how often drift is found where the distribution functions differ by `distance`."""
        shift = 2 * scipy.stats.norm.ppf((1 + distance) / 2)
        d = distances(generator, shares(0), shares(shift), n, 300)
        return float(np.mean([verdict(value, n, n_reference) == "drift" for value in d]))

    assert fired(0.1) <= 0.001
    assert fired(0.14) == 1


def test_the_margin_shrinks_as_the_samples_grow() -> None:
    assert margin(100, 1000) > margin(1000, 1000) > margin(1000, 10_000) > 0.1
    assert margin(10**9, 10**9) == pytest.approx(0.1, abs=1e-3)


def test_too_few_values_get_no_verdict() -> None:
    assert verdict(1.0, LEAST_N - 1, 1000) == "too few"
    assert verdict(1.0, LEAST_N, 1000) == "drift"


@pytest.mark.parametrize(("n", "n_reference", "alpha"), [(0, 10, 0.1), (10, 0, 0.1), (10, 10, 0), (10, 10, 1)])
def test_what_makes_no_sense_is_refused(n: int, n_reference: int, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"no distribution|alpha is"):
        margin(n, n_reference, 0.1, alpha)


def follow_all(verdicts: list[Verdict]) -> list[str]:
    alarm, happened = Alarm(), []
    for start, verdict_ in enumerate(verdicts):
        alarm, event = next_alarm(alarm, verdict_, start * 10)
        if event:
            happened.append(f"{start}: {event}" + (f", since {alarm.since}" if alarm.is_open else ""))
    return happened


def test_alarms_open_hold_and_close() -> None:
    s: Verdict = "stable"
    d: Verdict = "drift"
    few: Verdict = "too few"
    assert follow_all([s, d, s, d, s]) == []
    assert follow_all([s, d, d, d, s, s, d, s, s, s, s]) == ["2: opens, since 10", "9: closes"]
    assert follow_all([d, few, d, s, few, s, s]) == ["2: opens, since 0", "6: closes"]
    assert follow_all([d, s, d, d]) == ["3: opens, since 20"]
