"""False alarms by simulation, for each reference and not on average: independent values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

from bench import false_alarms
from bench.windows import column, counts_of, distances, p_values
from udfs.distributions.bins import Bins
from udfs.distributions.histogram import histogram
from udfs.distributions.ks import ks
from udfs.drift.thresholds import ALPHA, verdict

if TYPE_CHECKING:
    from bench.false_alarms import Shares

BINS = 64


@pytest.fixture(scope="module", params=[15, pytest.param(50, marks=pytest.mark.slow)])
def shares(request: pytest.FixtureRequest) -> dict[str, tuple[Shares, bool]]:
    """Return each rule's shares, and whether it holds for each of some references."""
    rules = false_alarms.rules(false_alarms.N, false_alarms.REFERENCE_ROWS)
    sizes = request.param, 300
    found = false_alarms.simulate(rules, sizes, false_alarms.N, false_alarms.REFERENCE_ROWS, BINS)
    return {rule.name: (share, share.holds(rule)) for rule, share in zip(rules, found, strict=True)}


def test_distances_and_p_values_of_many_windows_are_those_of_ks() -> None:
    generator = np.random.default_rng(0)
    reference = column(generator, 5000, BINS).reference
    values = generator.normal(0.1, 1, (20, 300)).astype(np.float32)
    d = distances(reference, counts_of(reference, values.astype(np.float64)), 300)
    assert isinstance(reference.bins, Bins)
    one_by_one = [ks(reference, histogram(reference.bins, window)) for window in values]
    np.testing.assert_allclose(d, np.array([found.lo for found in one_by_one]), rtol=1e-12)
    np.testing.assert_allclose(p_values(d, 300), np.array([found.p for found in one_by_one]), rtol=1e-9)


def test_counts_drawn_from_the_true_masses_are_like_those_of_values() -> None:
    generator = np.random.default_rng(0)
    drawn = column(generator, 5000, BINS)
    assert isinstance(drawn.reference.bins, Bins)
    counts = histogram(drawn.reference.bins, generator.normal(size=500_000).astype(np.float32)).counts
    assert scipy.stats.chisquare(counts, drawn.truth * counts.sum()).pvalue > 0.001


def test_the_rule_on_many_windows_is_the_verdict() -> None:
    hard = next(rule for rule in false_alarms.rules(500, 2000) if rule.name == f"margin, d_min 0, alpha {ALPHA:g}")
    d = np.linspace(0.1, 0.2, 1001)
    assert hard.fires(d).tolist() == [verdict(float(x), 500, 2000, 0) == "drift" for x in d]


@pytest.mark.parametrize("name", ["margin, d_min 0, alpha 0.001", "margin, d_min 0.1, alpha 0.001"])
def test_the_margin_holds_for_each_reference_and_finds_a_shift(
    shares: dict[str, tuple[Shares, bool]], name: str
) -> None:
    share, holds = shares[name]
    assert holds
    assert share.family.max() <= 0.02
    assert share.found == 1


def test_q_values_hold_for_each_reference_only_without_the_reference_s_own_error(
    shares: dict[str, tuple[Shares, bool]],
) -> None:
    assert not shares["q <= .05"][1]
    assert shares["q <= .05, less reference's error"][1]


@pytest.mark.parametrize("name", ["textbook: p < .05", "always", "never"])
def test_what_must_not_pass_does_not(shares: dict[str, tuple[Shares, bool]], name: str) -> None:
    assert not shares[name][1]


def test_the_textbook_fires_in_most_windows_of_twenty_features(shares: dict[str, tuple[Shares, bool]]) -> None:
    assert shares["textbook: p < .05"][0].family.min() > 0.5
