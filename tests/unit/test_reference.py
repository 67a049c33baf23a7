"""Profiles built from Parquet files, written and read: every value counted, bounds kept, foreign files refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats

from udfs.distributions.categories import CategoryCounts
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.distributions.quantiles import SHOWN, quantiles
from udfs.drift.build_reference import build_profile
from udfs.drift.reference import NULL, REST, ProfileError, read_profile, write_profile

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.drift.reference import Profile

DAY = 86_400
GENERATOR = np.random.default_rng(0)
ROWS = 30_000
TABLE = pa.table(
    {
        "delay": GENERATOR.gamma(2, 10, ROWS).astype(np.float32),
        "temp": pa.array(GENERATOR.normal(300, 2, ROWS), mask=GENERATOR.random(ROWS) < 0.1),
        "hour": GENERATOR.integers(0, 24, ROWS),
        "id": GENERATOR.integers(0, 2**40, ROWS),
        "late": GENERATOR.random(ROWS) < 0.2,
        "origin": pa.array(GENERATOR.choice(np.array(["EWR", "JFK", "LGA", None], object), ROWS)),
    }
)


HOURS = GENERATOR.integers(0, 24 * 60, ROWS)
TIMED = TABLE.append_column(
    "at", pa.array(np.datetime64("2013-01-07T00:00:00", "ms") + HOURS * np.timedelta64(1, "h"))
)  # 60 days from a Monday


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reference") / "data.parquet"
    pq.write_table(TIMED, file, row_group_size=7000)
    return file


@pytest.fixture(scope="module")
def profile(data: Path) -> Profile:
    return build_profile("m", "3", data, TABLE.column_names)


@pytest.fixture(scope="module")
def divided(data: Path) -> Profile:
    return build_profile(
        "m", "3", data, ["delay", "late"], slice_column="origin", slices=2, time="at", season="day of week", window=DAY
    )


def whole(profile: Profile, name: str) -> Histogram | CategoryCounts:
    return profile.whole.column(profile.features.names.index(name))


def test_every_value_is_counted(profile: Profile) -> None:
    for name in TABLE.column_names:
        counts = whole(profile, name)
        assert counts.nulls == TABLE[name].null_count
        assert counts.n == ROWS - TABLE[name].null_count


def test_the_bound_is_a_hundredth_at_most(profile: Profile) -> None:
    assert all(profile.bound(name) <= 0.01 for name in TABLE.column_names)
    assert [profile.bound(name) for name in ("hour", "late", "origin")] == [0, 0, 0]


def test_integers_that_float32_has_not_are_named(profile: Profile) -> None:
    assert profile.inexact == ("id",)


def test_categories_are_counted_by_name(profile: Profile) -> None:
    origin = whole(profile, "origin")
    assert isinstance(origin, CategoryCounts)
    truth = {row["values"]: row["counts"] for row in TABLE["origin"].value_counts().to_pylist()}
    assert dict(zip(origin.categories.names, origin.counts.tolist(), strict=False)) == {
        name: truth[name] for name in ("EWR", "JFK", "LGA")
    }


def test_slices_and_parts_of_the_season_are_counted_by_themselves(divided: Profile) -> None:
    origin = np.array(TABLE["origin"].to_pylist(), object)
    names = divided.keys.slices.names
    assert len(names) == 2
    assert divided.keys.labels == (*names, REST, NULL)
    for label in divided.keys.labels:
        known = np.array([{None: NULL}.get(o, o if o in names else REST) for o in origin], object)
        there = known == label
        for part in range(7):
            rows = there & (part == HOURS // 24 % 7)
            counts = divided.counts[label, part]
            assert counts.rows == rows.sum()
            values = TABLE["delay"].to_numpy()[rows]
            assert (counts.least[0], counts.most[0]) == (values.min(), values.max())
    assert divided.whole.rows == ROWS


def test_the_own_windows_distances_are_those_of_scipy(divided: Profile) -> None:
    origin = np.array(TABLE["origin"].to_pylist(), object)
    delay = TABLE["delay"].to_numpy()
    label = divided.keys.slices.names[0]
    found = divided.distances[label, "delay", 0]
    assert len(found) == 60
    for day, distance in enumerate(found):
        window = (origin == label) & (day == HOURS // 24)
        others = (origin == label) & (day % 7 == HOURS // 24 % 7) & ~window
        exact = scipy.stats.ks_2samp(delay[window], delay[others]).statistic
        assert distance - 1e-6 <= exact <= distance + 0.02  # the bound of a reference of some 1,000 rows
    # Days since 1970 are even on Mondays that begin the 60 days or not: blocks of four lie wholly within them.
    sums = divided.distances[label, "delay", 2]
    assert len(sums) in (14, 15)
    assert np.median(sums) < np.median(found)


def test_a_sum_of_windows_is_compared_with_a_mixture(divided: Profile) -> None:
    label = divided.keys.slices.names[0]
    monday, sunday = divided.counts[label, 0], divided.counts[label, 6]
    assert divided.reference(label, {6: 40}) is sunday
    mixed = divided.reference(label, {0: 300, 6: 100})
    assert mixed is not None
    expected = 0.75 * monday.column(0).shares + 0.25 * sunday.column(0).shares
    np.testing.assert_allclose(mixed.column(0).shares, expected, atol=1e-12)
    assert mixed.rows == pytest.approx(min(monday.rows, sunday.rows), abs=1)
    assert divided.reference("nowhere", {0: 1}) is None


def test_quantiles_are_as_near_as_the_bins_are_fine(profile: Profile) -> None:
    for name in ("delay", "temp", "hour"):
        counts = whole(profile, name)
        assert isinstance(counts, Histogram)
        values = TABLE[name].drop_null().to_numpy().astype(np.float32)
        for estimate, share in zip(quantiles(counts), SHOWN, strict=True):
            below, upto = np.mean(values < np.float32(estimate)), np.mean(values <= np.float32(estimate))
            assert below - 0.01 <= share <= upto + 0.01, name


def test_quantiles_of_one_value_are_that_value() -> None:
    values = np.full(10, 7.25, np.float32)
    counts = histogram(choose_bins(lambda: [values]), values)
    assert quantiles(counts).tolist() == [7.25] * len(SHOWN)


def test_there_and_back(divided: Profile, profile: Profile, tmp_path: Path) -> None:
    for written in (divided, profile):
        write_profile(written, tmp_path / "reference.parquet")
        found = read_profile(tmp_path / "reference.parquet", "m", "3")
        assert (found.model, found.version, found.inexact, found.keys) == ("m", "3", written.inexact, written.keys)
        assert found.features.digest == written.features.digest
        assert list(found.counts) == list(written.counts)
        for key, counts in written.counts.items():
            np.testing.assert_array_equal(found.counts[key].cells, counts.cells)
            np.testing.assert_array_equal(found.counts[key].least, counts.least)
            np.testing.assert_array_equal(found.counts[key].most, counts.most)
        for slice_and_feature, distances in written.distances.items():
            np.testing.assert_allclose(found.distances[slice_and_feature], distances, rtol=1e-6)


def test_what_is_no_profile_of_the_model_is_refused(profile: Profile, tmp_path: Path) -> None:
    write_profile(profile, tmp_path / "reference.parquet")
    pq.write_table(TABLE, tmp_path / "other.parquet")
    (tmp_path / "damaged.parquet").write_bytes((tmp_path / "reference.parquet").read_bytes()[:-9])
    for name, model, version, words in (
        ("reference", "other", "3", "its model is m, expected other"),
        ("reference", "m", "4", "its version is 3, expected 4"),
        ("other", "m", "3", "its profile is None, expected 1"),
        ("damaged", "m", "3", "cannot be read"),
        ("missing", "m", "3", "cannot be read"),
    ):
        with pytest.raises(ProfileError, match=words):
            read_profile(tmp_path / f"{name}.parquet", model, version)


def test_columns_that_cannot_be_compared_are_named(tmp_path: Path) -> None:
    for column, words in (
        (pa.array([[1], [2]]), r"column `x`: it is list<.*>, expected numbers or text"),
        (pa.array([b"\xff"]), "column `x`: it is binary that is not UTF-8, expected numbers or text"),
    ):
        pq.write_table(pa.table({"x": column}), tmp_path / "data.parquet")
        with pytest.raises(ProfileError, match=words):
            build_profile("m", "1", tmp_path / "data.parquet")


def test_times_and_columns_that_are_none_are_named(tmp_path: Path) -> None:
    times = pa.array([None, 5], pa.timestamp("ms"))
    pq.write_table(pa.table({"x": [1.0, 2.0], "at": times, "day": ["a", "b"]}), tmp_path / "data.parquet")
    for time, words in (
        ("at", "column `at` has a NULL, expected a timestamp in each row"),
        ("day", "column `day` is text such as 'a', expected a timestamp"),
        ("then", "no column `then`; its columns: x, at, day"),
    ):
        with pytest.raises(ProfileError, match=words):
            build_profile("m", "1", tmp_path / "data.parquet", ["x"], time=time, season="hour of day")
