"""Commands that compare samples refuse too few, and say how many are needed and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pyflink_jobs.drift.explain import explain, measures, sentence
from pyflink_jobs.drift.reference_size import check_size, least_rows, size_warnings
from pyflink_jobs.drift.results import results
from pyflink_jobs.errors import JobError, ModelError
from pyflink_jobs.planning.connectors.kafka import Kafka
from pyflink_jobs.tuning.latency import BUNDLES
from pyflink_jobs.tuning.least_records import BATCHES, Least, check_records
from pyflink_jobs.tuning.sample import Sample
from tests.drift_records import drift, records
from tests.reported_windows import follower
from udfs.drift.reference import Keys
from udfs.drift.thresholds import ALPHA, D_MIN, margin

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.drift.reference import Profile


def sample(records_: int) -> Sample:
    return Sample("events", "events", "localhost:9092", {0: (7, 7 + records_)}, None, Kafka())


@pytest.mark.parametrize(
    ("records_", "least", "subtasks", "needed"),
    [(83, BATCHES, 2, "2,000"), (999, BATCHES, 1, "1,000"), (19_999, BUNDLES, 1, "20,000"), (0, BATCHES, 1, "1,000")],
)
def test_tune_and_size_refuse_too_few_records(records_: int, least: Least, subtasks: int, needed: str) -> None:
    with pytest.raises(JobError) as error:
        check_records(sample(records_), "score", least, subtasks, sized=False)
    text = str(error.value)
    assert (
        f"{records_:,} records of topic `events` are too few to measure job `score`: at least {needed} are needed"
        in text
    )
    assert "a run must fill " in text
    assert "write more records to the topic first" in text
    with pytest.raises(JobError, match="use a larger --sample, or none"):
        check_records(sample(records_), "score", least, subtasks, sized=True)
    check_records(sample(least.rows * subtasks), "score", least, subtasks, sized=True)


def reference(folder: Path, windows: int, n: int) -> Profile:
    generator = np.random.default_rng(0)
    return follower(folder, [generator.normal(size=n).astype(np.float32) for _ in range(windows)]).loaded.profile


def test_a_reference_of_few_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        check_size(reference(tmp_path, 1, 29), "rows.parquet")
    assert "rows.parquet has 29 rows, too few for a reference: at least 30 are needed" in str(error.value)
    check_size(reference(tmp_path, 1, 30), "rows.parquet")


@pytest.mark.parametrize("difference", [0.125, 0.2, 0.3])
def test_the_least_rows_are_those_of_the_margin(difference: float) -> None:
    rows = least_rows(difference)
    assert margin(10**15, rows, D_MIN, ALPHA / 2) <= difference + 1e-6
    assert margin(10**15, rows - 1, D_MIN, ALPHA / 2) > difference


def test_what_a_small_reference_cannot_show_is_said(tmp_path: Path) -> None:
    few, windows = size_warnings(reference(tmp_path, 2, 100))
    assert few == "200 rows are few: only differences above 0.25 can be found; with 450 rows, those above 0.2"
    assert windows.startswith("the rows have 2 windows of 3,600 s with at least 30 values, fewer than 20")
    enough = reference(tmp_path, 40, 100)
    assert size_warnings(enough) == []
    seasonal = replace(enough, keys=Keys(None, enough.keys.slices, "at", "hour of day", 3600))
    [missing] = size_warnings(seasonal)
    assert missing == "the rows have none in 23 of 24 parts of the season 'hour of day': windows there get no verdict"


def test_slices_with_few_rows_are_named(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    places = [["JFK"] * 99 + ["rare"]] * 25
    made = follower(tmp_path, [generator.normal(size=100).astype(np.float32) for _ in places], places)
    assert size_warnings(made.loaded.profile) == ["slices with fewer than 30 rows, too few to find drift in: rare (25)"]


def test_explain_shows_no_distance_of_few_rows() -> None:
    found = explain(results(records(drift(n=12, nulls=3, verdict="too few")), []), "2013-07-01", "dep_delay").drift
    assert "no verdict: it has 15 rows, 3 of them NULL, and below 30 values chance would decide" in sentence(found)
    assert [measure.name for measure in measures(found)] == ["NULL"]


def test_explain_says_how_large_a_psi_chance_makes() -> None:
    """Without a change, the sum over ten groups is about chi-square with nine degrees of freedom over n."""
    few, many = (
        explain(results(records(drift(n=n, psi=0.3)), []), "2013-07-01", "dep_delay").drift for n in (40, 4000)
    )
    assert {m.name: m.meaning for m in measures(few)}["PSI"].endswith("by chance about 0.23 with so few values")
    assert {m.name: m.meaning for m in measures(many)}["PSI"] == "by custom: below 0.1 little, above 0.25 much"
