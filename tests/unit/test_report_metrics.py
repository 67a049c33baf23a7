"""AUC, log loss, Brier score, calibration: against definitions written out pair by pair, scipy, and by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pyflink_jobs.demo.metrics import auc, brier, calibration, log_loss, wilson

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

# Few distinct probabilities, so that ties are common.
ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.booleans()), min_size=1)


def arrays(rows: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([p for p, _ in rows]), np.array([happened for _, happened in rows])


def test_auc_by_hand() -> None:
    # Pairs (late, punctual): .9>.4, .9>.5, .9>.1, .5>.4, .5=.5, .5>.1 -> 5.5 of 6.
    p, late = arrays([(0.9, True), (0.4, False), (0.5, True), (0.5, False), (0.1, False)])
    assert auc(p, late) == pytest.approx(5.5 / 6, rel=1e-15)


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[float, bool]]) -> None:
    late = [p for p, happened in rows if happened]
    punctual = [p for p, happened in rows if not happened]
    found = auc(*arrays(rows))
    if not late or not punctual:
        assert math.isnan(found)
        return
    wins = sum((a > b) + 0.5 * (a == b) for a in late for b in punctual)
    assert found == pytest.approx(wins / (len(late) * len(punctual)), rel=1e-12, abs=1e-15)


def test_losses_by_hand() -> None:
    p, late = arrays([(0.8, True), (0.8, False), (0.25, False)])
    assert log_loss(p, late) == pytest.approx(-(math.log(0.8) + math.log(0.2) + math.log(0.75)) / 3)
    assert brier(p, late) == pytest.approx((0.04 + 0.64 + 0.0625) / 3)


def test_a_certain_mistake_costs_much_but_not_infinitely_much() -> None:
    assert 30 < log_loss(*arrays([(0.0, True)])) < math.inf
    assert log_loss(*arrays([(0.0, False), (1.0, True)])) == 0


def test_nothing_is_known_of_no_rows() -> None:
    p, late = np.empty(0), np.empty(0, bool)
    assert all(math.isnan(metric(p, late)) for metric in (auc, log_loss, brier))
    assert calibration(p, late) == []


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_is_scipys(k: int, n: int) -> None:
    k = min(k, n)
    truth = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((truth.low, truth.high), abs=1e-7)


def test_calibration_has_ten_bins_of_a_tenth_each() -> None:
    p = np.random.default_rng(1).permutation(np.linspace(0, 1, 1000))
    late = p > 0.5
    bins = calibration(p, late)
    assert [b.n for b in bins] == [100] * 10
    assert [b.observed for b in bins] == [0.0] * 5 + [1.0] * 5
    tenths = np.sort(p).reshape(10, 100)
    assert [b.predicted for b in bins] == pytest.approx(tenths.mean(axis=1))
    assert all(b.low <= b.observed <= b.high for b in bins)


@given(ROWS, st.randoms(use_true_random=False))
def test_calibration_keeps_all_rows_and_does_not_depend_on_their_order(
    rows: list[tuple[float, bool]], random: Random
) -> None:
    bins = calibration(*arrays(rows))
    assert sum(b.n for b in bins) == len(rows)
    assert sum(b.n * b.observed for b in bins) == pytest.approx(sum(happened for _, happened in rows))
    assert sum(b.n * b.predicted for b in bins) == pytest.approx(sum(p for p, _ in rows))
    random.shuffle(rows)
    shuffled = calibration(*arrays(rows))
    assert [(b.n, b.observed) for b in shuffled] == [(b.n, b.observed) for b in bins]


@given(ROWS)
def test_equal_predictions_share_a_bin(rows: list[tuple[float, bool]]) -> None:
    p, late = arrays(rows)
    for smaller, larger in zip((bins := calibration(p, late)), bins[1:], strict=False):
        assert smaller.predicted < larger.predicted
    assert len(bins) <= len(set(p))
