"""Profiles built from Parquet files, written and read: every value counted, bounds kept, foreign files refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from udfs.categories import CategoryCounts
from udfs.choose_bins import choose_bins
from udfs.histogram import Histogram, histogram
from udfs.quantiles import SHOWN, quantiles
from udfs.reference import ProfileError, build_profile, read_profile, write_profile

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.reference import Profile

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


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    file = tmp_path_factory.mktemp("reference") / "data.parquet"
    pq.write_table(TABLE, file, row_group_size=7000)
    return build_profile("m", "3", file)


def test_every_value_is_counted(profile: Profile) -> None:
    for name in TABLE.column_names:
        counts = profile.columns[name]
        assert counts.nulls == TABLE[name].null_count
        assert counts.n == ROWS - TABLE[name].null_count


def test_the_bound_is_a_hundredth_at_most(profile: Profile) -> None:
    assert all(profile.bound(name) <= 0.01 for name in profile.columns)
    assert [profile.bound(name) for name in ("hour", "late", "origin")] == [0, 0, 0]


def test_integers_that_float32_has_not_are_named(profile: Profile) -> None:
    assert profile.inexact == ("id",)


def test_categories_are_counted_by_name(profile: Profile) -> None:
    origin = profile.columns["origin"]
    assert isinstance(origin, CategoryCounts)
    truth = {row["values"]: row["counts"] for row in TABLE["origin"].value_counts().to_pylist()}
    assert dict(zip(origin.categories.names, origin.counts.tolist(), strict=False)) == {
        name: truth[name] for name in ("EWR", "JFK", "LGA")
    }


def test_quantiles_are_as_near_as_the_bins_are_fine(profile: Profile) -> None:
    for name in ("delay", "temp", "hour"):
        counts = profile.columns[name]
        assert isinstance(counts, Histogram)
        values = TABLE[name].drop_null().to_numpy().astype(np.float32)
        for estimate, share in zip(quantiles(counts), SHOWN, strict=True):
            below, upto = np.mean(values < np.float32(estimate)), np.mean(values <= np.float32(estimate))
            assert below - 0.01 <= share <= upto + 0.01, name


def test_quantiles_of_one_value_are_that_value() -> None:
    values = np.full(10, 7.25, np.float32)
    counts = histogram(choose_bins(lambda: [values]), values)
    assert quantiles(counts).tolist() == [7.25] * len(SHOWN)


def test_there_and_back(profile: Profile, tmp_path: Path) -> None:
    write_profile(profile, tmp_path / "reference.parquet")
    found = read_profile(tmp_path / "reference.parquet", "m", "3")
    assert (found.model, found.version, found.inexact) == ("m", "3", ("id",))
    assert list(found.columns) == TABLE.column_names
    for name, counts in profile.columns.items():
        other = found.columns[name]
        np.testing.assert_array_equal(other.counts, counts.counts)
        if isinstance(counts, Histogram):
            assert isinstance(other, Histogram)
            assert other.bins.digest == counts.bins.digest
            assert (other.least, other.most) == (counts.least, counts.most)
        else:
            assert isinstance(other, CategoryCounts)
            assert other.categories == counts.categories


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
        (pa.array([[1], [2]]), r"column `x` is list<.*>, expected numbers or text"),
        (pa.array([None, float("nan")]), "column `x`: a column without a value"),
        (pa.array([None, None], pa.string()), "column `x`: a column without a value"),
    ):
        pq.write_table(pa.table({"x": column}), tmp_path / "data.parquet")
        with pytest.raises(ProfileError, match=words):
            build_profile("m", "1", tmp_path / "data.parquet")
