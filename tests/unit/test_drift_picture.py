"""Pictures of two distributions: where the values are, and how far each quantile moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.drift.picture import bars, draw_quantiles, masses
from pyflink_jobs.drift.records import Drift
from tests.drift_records import drift

EVEN = tuple(float(x) for x in (1, 5, 10, 25, 40, 50, 75, 90, 95, 99))  # of values spread evenly from 0 to 100


def test_masses_are_the_shares_between_the_quantiles() -> None:
    assert masses(EVEN, 0, 100, 4) == pytest.approx([0.24, 0.25, 0.25, 0.24])  # 1% is missing at either end
    assert masses(EVEN, 50, 100, 2) == pytest.approx([0.25, 0.24])


def test_a_value_that_is_frequent_is_in_one_column() -> None:
    zeros = (0.0,) * 6 + (10.0,) * 4  # a straight line between the median and 75%
    assert masses(zeros, 0, 10, 5) == pytest.approx([0.49 + 0.05, 0.05, 0.05, 0.05, 0.05 + 0.24])
    assert masses((7.0,) * 10, 7, 7, 3) == pytest.approx([0.98, 0, 0])


def test_infinite_quantiles_are_left_out() -> None:
    assert masses((None, *EVEN[1:-1], None), 0, 100, 1) == pytest.approx([0.9])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=10).map(sorted),
    st.integers(1, 50),
)
def test_no_mass_is_lost_nor_invented(quantiles: list[float], columns: int) -> None:
    found = masses(tuple(quantiles), quantiles[0], quantiles[-1], columns)
    assert sum(found) == pytest.approx(0.98)
    assert min(found) >= -1e-9


def test_bars_are_in_proportion_and_nothing_is_lost() -> None:
    assert bars([1.0, 0.5, 0.001, 0.0], 1.0, 2) == ["█   ", "██▁ "]
    assert bars([0.75], 1.0, 2) == ["▄", "█"]


def test_a_quantile_moves_from_the_ring_to_the_disc() -> None:
    moved = Drift.read({**drift(), "quantiles": [x + 90 for x in EVEN], "reference_quantiles": EVEN})  # scale: 5 to 185
    lines = [line.plain for line in draw_quantiles(moved, 26 + 181)][-10:]
    pictures = [line[26:] for line in lines]
    assert pictures[5] == " " * 45 + "○" + "─" * 89 + "●"  # 50 and 140: a column for each unit
    assert pictures[0] == "◂" + "─" * 85 + "●"
    assert lines[5].split()[:3] == ["50%", "50", "140"]
