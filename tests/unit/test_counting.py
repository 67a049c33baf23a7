"""Counts of batches: each row counts once, wherever batches begin, and added up they equal all rows counted at once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.distributions.counts import Counts, count
from udfs.distributions.partial import from_bytes
from udfs.drift.build_reference import build_profile
from udfs.drift.counting import EARLIEST, LATEST
from udfs.drift.monitor import GROUP, LoadedMonitor, Monitor
from udfs.drift.reference import NULL, REST, ProfileError, write_profile
from udfs.scoring.signature import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROWS, WINDOW = 3000, 3600
NAMES = tuple(f"x{i}" for i in range(GROUP + 2))
START = 1_700_000_000
generator = np.random.default_rng(5)
VALUES = [
    np.where(generator.random(ROWS) < 0.05, np.nan, generator.normal(i, 1, ROWS)).astype(np.float32)
    for i in range(len(NAMES))
]
SECONDS = START + np.sort(generator.integers(0, 5 * WINDOW, ROWS))
SLICES = generator.choice(np.array(["a", "b", "c", None], object), ROWS, p=[0.5, 0.3, 0.1, 0.1])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedMonitor:
    folder = tmp_path_factory.mktemp("monitor")
    columns = {**dict(zip(NAMES, VALUES, strict=True)), "where": SLICES.tolist()}
    pq.write_table(pa.table(columns), folder / "data.parquet")
    profile = build_profile("m", "1", folder / "data.parquet", NAMES, slice_column="where", slices=2)
    write_profile(profile, folder / "reference.parquet")
    file = folder / "reference.parquet"
    return Monitor("m", "1", str(file), sha256(file), NAMES, (0.1,) * len(NAMES), ("",) * len(NAMES), WINDOW).load()


def merged(loaded: LoadedMonitor, order: NDArray[np.intp], cuts: list[int]) -> dict[tuple[int, str, int], Counts]:
    """Count batch by batch, and add up the counts."""
    found: dict[tuple[int, str, int], Counts] = {}
    for rows in np.split(order, cuts):
        seen = set()
        for one in loaded.count([v[rows] for v in VALUES], SECONDS[rows], SLICES[rows]):
            assert one.row not in seen
            seen.add(one.row)
            row = rows[one.row]
            assert SECONDS[row] // WINDOW * WINDOW == one.start
            for group, data in enumerate(one.partials):
                added = from_bytes(data, loaded.groups[group])
                key = one.start, one.label, group
                found[key] = found[key] + added if key in found else added
    return found


@pytest.fixture(scope="module")
def offline(loaded: LoadedMonitor) -> dict[tuple[int, str, int], Counts]:
    """Count each window and slice in one go, found by plain comparisons."""
    rows = defaultdict(list)
    for i, (second, label) in enumerate(zip(SECONDS.tolist(), SLICES.tolist(), strict=True)):
        rows[second // WINDOW * WINDOW, {None: NULL, "c": REST}.get(label, label)].append(i)
    return {
        (start, label, group): count(features, [VALUES[NAMES.index(name)][these] for name in features.names])
        for (start, label), these in rows.items()
        for group, features in enumerate(loaded.groups)
    }


def equal(a: dict[tuple[int, str, int], Counts], b: dict[tuple[int, str, int], Counts]) -> None:
    assert a.keys() == b.keys()
    for key, counts in a.items():
        np.testing.assert_array_equal(counts.cells, b[key].cells)
        np.testing.assert_array_equal([counts.least, counts.most], [b[key].least, b[key].most])


@pytest.mark.parametrize("size", [1, 7, 1000, 5000])
def test_batches_of_any_size_give_the_same(
    loaded: LoadedMonitor, offline: dict[tuple[int, str, int], Counts], size: int
) -> None:
    equal(merged(loaded, np.arange(ROWS), [*range(size, ROWS, size)]), offline)


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True))
def test_any_order_and_any_batches_give_the_same(
    loaded: LoadedMonitor, offline: dict[tuple[int, str, int], Counts], seed: int, cuts: list[int]
) -> None:
    equal(merged(loaded, np.random.default_rng(seed).permutation(ROWS), sorted(cuts)), offline)


def test_counts_are_stored_with_the_last_row_of_their_window_and_slice(loaded: LoadedMonitor) -> None:
    seconds = np.array([START, START + WINDOW, START, START, START + WINDOW])
    slices = np.array(["a", "a", "b", "a", "a"], object)
    batch_counts = loaded.count([v[:5] for v in VALUES], seconds, slices)
    assert sorted((one.row, one.label) for one in batch_counts) == [(2, "b"), (3, "a"), (4, "a")]


def test_rows_of_invalid_times_are_in_no_window(loaded: LoadedMonitor) -> None:
    seconds = np.array([0, EARLIEST - 1, START, LATEST, 253_402_300_799])
    batch_counts = loaded.count([v[:5] for v in VALUES], seconds, np.array(["a"] * 5, object))
    assert [(one.row, one.start) for one in batch_counts] == [(2, START // WINDOW * WINDOW)]
    assert from_bytes(batch_counts[0].partials[0], loaded.groups[0]).rows == 1
    assert loaded.count([v[:2] for v in VALUES], seconds[:2], np.array(["a"] * 2, object)) == []


def test_another_profile_than_was_planned_with_is_refused(loaded: LoadedMonitor, tmp_path: Path) -> None:
    for content, why in ((None, "is missing"), (b"other", "but the job was planned with")):
        file = tmp_path / "reference.parquet"
        if content:
            file.write_bytes(content)
        monitor = Monitor("m", "1", str(file), loaded.monitor.sha256, NAMES, (), (), WINDOW)
        with pytest.raises(ProfileError, match=why):
            monitor.load()
