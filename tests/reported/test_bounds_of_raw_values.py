"""Bounds of the Kolmogorov-Smirnov distance hold for raw values that float32 cannot tell apart: codes and doubles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.distributions.bins import as_float32
from udfs.distributions.choose_bins import choose_atoms, choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import count, count_groups
from udfs.distributions.ks import ks
from udfs.drift.build_reference import build_profile
from udfs.drift.monitor import LoadedMonitor, Monitor
from udfs.drift.reference import read_profile, write_profile
from udfs.nulls import masked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BASES = (0, 2**24 - 2, 2**24, -(2**24), 123_456_789, 2**53 - 3, 1_700_000_000_000_000_000)
NEAR = st.sampled_from(BASES).flatmap(lambda base: st.integers(base - 4, base + 4))
FAR = st.sampled_from((1, 100, 2**20)).flatmap(lambda step: st.integers(-4, 4).map(lambda i: 2**30 + i * step))
DOUBLES = (
    st.floats(allow_nan=False) | NEAR.map(float) | st.sampled_from((0.1, 0.1 + 1e-17, 0.1 + 1e-12, 0.3, 0.1 + 0.2))
)


def features(reference: NDArray[Any]) -> Features:
    bins = choose_bins(lambda: [as_float32(reference)])
    return Features(("x",), (replace(bins, atoms=choose_atoms(bins, lambda: [reference])),))


def exact(reference: NDArray[Any], window: NDArray[Any]) -> float:
    """Return scipy's distance of ranks, which are exact where int64 is beyond float64."""
    ranks = np.unique(np.concatenate((reference, window)), return_inverse=True)[1]
    with np.errstate(all="ignore"):  # of its p-value, for a sample of one
        return float(scipy.stats.ks_2samp(ranks[: len(reference)], ranks[len(reference) :], method="asymp").statistic)


def check(reference: NDArray[Any], window: NDArray[Any]) -> float:
    """Check the bounds, and return how far apart they are."""
    counted = features(reference)
    then, now = (count(counted, [values]).numbers for values in (reference, window))
    found = ks(then, now)
    lo, hi = np.asarray(found.lo).item(), np.asarray(found.hi).item()
    truth = exact(reference, window)
    assert lo - 1e-9 <= truth <= hi + 1e-9
    return float(hi - lo)


@given(
    reference=arrays(np.int64, st.integers(1, 60), elements=NEAR | FAR),
    window=arrays(np.int64, st.integers(1, 60), elements=NEAR | FAR),
)
def test_bounds_hold_for_integers(reference: NDArray[np.int64], window: NDArray[np.int64]) -> None:
    check(reference, window)


@given(
    reference=arrays(np.float64, st.integers(1, 60), elements=DOUBLES),
    window=arrays(np.float64, st.integers(1, 60), elements=DOUBLES),
)
def test_bounds_hold_for_doubles(reference: NDArray[np.float64], window: NDArray[np.float64]) -> None:
    check(reference, window)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.uint64])
@pytest.mark.parametrize("base", [2**24, 10**9, 10**12, 2**53 - 10**6, 1_700_000_000_000_000_000])
def test_bounds_hold_for_codes_and_a_frequent_one_is_known_exactly(base: int, dtype: type) -> None:
    generator = np.random.default_rng(base % 1000)
    for size in (3, 50, 1000):
        codes: NDArray[Any] = (base + generator.integers(0, 10**6, size)).astype(dtype)
        shares = generator.dirichlet(np.full(size, 0.3))
        reference, window = (generator.choice(codes, n, p=p) for n, p in ((5000, shares), (700, np.roll(shares, 1))))
        check(reference, window)
        check(reference, window + dtype(1))
    # Codes that float32 tells apart have bins of their own, so nothing is hidden in them.
    step = 2 ** max(int(np.log2(base)) - 22, 0)
    spread = generator.choice((base + step * np.arange(6) * 3).astype(dtype), 3000)
    assert check(spread, spread[:500]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("dtype", "moved"), [(np.float64, lambda x: x + 1e-13), (np.int64, lambda x: x + 1), (np.int64, lambda x: x - 1)]
)
def test_what_float32_rounds_onto_a_frequent_value_is_not_that_value(
    dtype: type, moved: Callable[[NDArray[Any]], NDArray[Any]]
) -> None:
    generator = np.random.default_rng(0)
    atom = 0.1 if dtype is np.float64 else 2**30
    others = generator.normal(size=4000) if dtype is np.float64 else generator.integers(0, 2**31, 4000)
    reference = np.where(generator.random(4000) < 0.5, dtype(atom), others.astype(dtype))
    counted = features(reference)
    then, now = (count(counted, [values]).numbers for values in (reference, moved(reference)))
    assert np.asarray(ks(then, now).lo).item() == pytest.approx(exact(reference, moved(reference)), abs=0.01)


def test_columns_that_float32_tells_apart_are_counted_as_float32() -> None:
    generator = np.random.default_rng(0)
    for values in (generator.integers(-(2**24) + 1, 2**24, 1000), generator.normal(size=500).astype(np.float32)):
        assert choose_atoms(choose_bins(lambda v=values: [as_float32(v)]), lambda v=values: [v]) is None  # type: ignore[misc]  # bound now
    [continuous] = features(generator.normal(size=5000)).columns
    assert not getattr(continuous, "needs_own_dtype", True)


def test_masked_integers_are_counted_as_the_others_and_as_null() -> None:
    values = np.repeat(np.array([2**30, 2**30 + 1, 2**31], np.int64), 100)
    null = np.arange(len(values)) % 3 == 0
    counted = features(values)
    with_null = count(counted, [masked(values, null)])
    without = count(counted, [values[~null]])
    assert with_null.cells[:-1].tolist() == without.cells[:-1].tolist()
    assert with_null.cells[-1] == null.sum()
    group = np.arange(len(values)) % 4
    parts = count_groups(counted, [masked(values, null)], group, 4)
    assert sum(part.cells for part in parts).tolist() == with_null.cells.tolist()  # type: ignore[union-attr]  # not 0


def test_a_profile_of_codes_is_written_read_and_used_by_a_job(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    codes = generator.choice(np.array([2**40, 2**40 + 1, 2**40 + 10**7]), 3000)
    table = pa.table({"x": pa.array(codes, mask=generator.random(3000) < 0.1), "y": generator.choice([0.1, 0.3], 3000)})
    pq.write_table(table, tmp_path / "rows.parquet")
    profile = build_profile("m", "1", tmp_path / "rows.parquet")
    write_profile(profile, tmp_path / "reference.parquet")
    read = read_profile(tmp_path / "reference.parquet", "m")
    assert read.features.digest == profile.features.digest
    assert profile.inexact == ("x",)
    monitor = Monitor("m", "1", "", "", ("x", "y"), (0.1, 0.1), ("", ""), 3600)
    columns = {"x": masked(codes, np.zeros(3000, bool)), "y": table["y"].to_numpy() + 1e-13}
    partials = LoadedMonitor(monitor, read).ride(columns, [np.full(3000, 1_700_000_000)])["_partials"]
    assert sum(partial is not None for partial in partials) == 1
