"""A slice of the reference without rows in a window is shown, opens an alarm after two windows, and closes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.stats

from pyflink_jobs.drift.explain import explain, measures, sentence
from pyflink_jobs.drift.heat_map import heat_map
from pyflink_jobs.drift.results import results
from tests.drift_records import drift, records
from tests.reported_windows import HOUR, START, Follower, follower
from udfs.distributions.counts import count
from udfs.drift.record_values import ALERT_FIELDS, alert_values
from udfs.drift.reference import read_profile, write_profile
from udfs.drift.slice_rows import ROWS
from udfs.drift.thresholds import ALPHA

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from udfs.drift.follow_windows import NewResults

SHARES = {"JFK": 0.5, "LGA": 0.4, "EWR": 0.1}


def values(generator: np.random.Generator, rows: dict[str, int]) -> dict[str, NDArray[Any]]:
    return {label: generator.normal(size=n).astype(np.float32) for label, n in rows.items() if n}


def reference(folder: Path, shares: list[dict[str, float]], n: int = 200) -> Follower:
    """Return the follower of windows of n rows, each with the given shares of slices."""
    generator = np.random.default_rng(0)
    places = [list(generator.choice(list(own), n, p=list(own.values()))) for own in shares]
    return follower(folder, [generator.normal(size=n).astype(np.float32) for _ in places], places)


def rows_of(new: NewResults) -> list[tuple[str, int, str]]:
    """Return the hours, slice and verdict of each result on rows."""
    return [
        (r.judgement.label, (r.end - r.start) // HOUR, r.judgement.verdict)
        for r in new.results
        if r.judgement.comparison.feature == ROWS
    ]


def test_a_slice_that_vanishes_is_shown_opens_an_alarm_and_closes_it(tmp_path: Path) -> None:
    job = reference(tmp_path, [SHARES] * 40)
    generator = np.random.default_rng(1)
    present, gone = {"JFK": 100, "LGA": 80, "EWR": 20}, {"JFK": 100, "LGA": 0, "EWR": 20}
    new = [job.next(values(generator, rows)) for rows in (present, gone, gone, gone, present, present, present)]
    single = [[found for found in rows_of(one) if found[1] == 1] for one in new]
    assert single[0] == []
    assert single[1:4] == [[("LGA", 1, "drift")]] * 3
    changes = [
        (i, dict(zip(ALERT_FIELDS, alert_values(c, job.loaded.monitor), strict=True)))
        for i, one in enumerate(new)
        for c in one.changes
    ]
    assert [(i, alert["slice"], alert["feature"], alert["event"]) for i, alert in changes] == [
        (2, "LGA", ROWS, "opens"),
        (6, "LGA", ROWS, "closes"),
    ]
    message = str(changes[0][1]["message"])
    assert message.startswith("m 1: slice LGA has no rows since 2023-11-15 01:00 UTC: the reference has ")
    assert "rows of it (window of 1 hour" in message
    assert str(changes[1][1]["message"]) == "m 1: slice LGA has rows again; it had none since 2023-11-15 01:00 UTC"


def test_a_slice_too_small_for_a_window_is_missed_in_their_sums(tmp_path: Path) -> None:
    shares = {"JFK": 0.98, "rare": 0.02}
    job = reference(tmp_path, [shares] * 128)
    generator = np.random.default_rng(1)
    found = [one for _ in range(32) for one in rows_of(job.next(values(generator, {"JFK": 100})))]
    # A window expects 2 rows, four of them 8: exp(-8) is below the level for each of four slices, exp(-4) is not.
    assert {size for _, size, _ in found} == {8, 16, 32}
    assert {(label, verdict) for label, _, verdict in found} == {("rare", "drift")}


def test_a_slice_that_sleeps_at_night_is_no_news(tmp_path: Path) -> None:
    day, night = {"JFK": 0.6, "LGA": 0.4}, {"JFK": 1.0}
    job = reference(tmp_path, [night if i % 24 < 6 else day for i in range(240)])
    generator = np.random.default_rng(1)
    hours = [values(generator, {"JFK": 120, "LGA": 0 if i % 24 < 6 else 80}) for i in range(48)]
    new = [job.next(rows) for rows in hours]
    assert {verdict for one in new for _, size, verdict in rows_of(one) if size == 1} == {"stable"}
    assert [c for one in new for c in one.changes if c.result.judgement.comparison.feature == ROWS] == []
    later = [job.next(values(generator, {"JFK": 120})) for _ in range(48)]
    assert any(c.result.judgement.comparison.feature == ROWS for one in later for c in one.changes), (
        "longer than a night"
    )


def test_by_chance_a_slice_vanishes_no_more_often_than_the_level(tmp_path: Path) -> None:
    job = reference(tmp_path, [SHARES] * 40)
    generator = np.random.default_rng(2)
    sizes = generator.integers(60, 200, 100)
    drawn = [generator.multinomial(n, list(SHARES.values())).tolist() for n in sizes]
    new = [job.next(values(generator, dict(zip(SHARES, rows, strict=True)))) for rows in drawn]
    single = [found for one in new for found in rows_of(one) if found[1] == 1]
    assert len(single) <= scipy.stats.binom.ppf(1 - 1e-4, len(sizes), ALPHA)
    assert [c for one in new for c in one.changes if c.result.judgement.comparison.feature == ROWS] == []


def test_late_rows_correct_the_result(tmp_path: Path) -> None:
    job = reference(tmp_path, [SHARES] * 40)
    job.loaded = replace(job.loaded, monitor=replace(job.loaded.monitor, allowed_lateness=HOUR))
    generator = np.random.default_rng(1)
    assert ("LGA", 1, "drift") in rows_of(job.next(values(generator, {"JFK": 100, "EWR": 20})))
    late = count(job.loaded.features, [generator.normal(size=7).astype(np.float32)])
    new = job.late(START, ("LGA", 0), late)
    assert rows_of(new) == [("LGA", 1, "stable")]
    assert new.results[0].judgement.comparison.n == 7
    more = job.late(START, ("LGA", 0), late)
    assert rows_of(more) == []


def test_a_file_of_an_older_version_does_not_say_which_slices_sleep(tmp_path: Path) -> None:
    job = reference(tmp_path, [SHARES] * 40)
    write_profile(job.loaded.profile, tmp_path / "new.parquet")
    assert read_profile(tmp_path / "new.parquet", "m").absent == job.loaded.profile.absent
    write_profile(replace(job.loaded.profile, absent=None), tmp_path / "old.parquet")
    old = Follower(replace(job.loaded, profile=read_profile(tmp_path / "old.parquet", "m")))
    generator = np.random.default_rng(1)
    assert [rows_of(old.next(values(generator, {"JFK": 100}))) for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("drift", "slice JFK has no rows, and the reference has 4,000."),
        ("stable", "but that is nothing new: 40% of the windows up to this one had none."),
    ],
)
def test_show_and_explain_say_it(verdict: str, words: str) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("psi", "wasserstein")) | {"quantiles": [], "reference_quantiles": []}
    value = drift(feature=ROWS, n=0, d_lo=1.0, d_hi=1.0, margin=0.1, verdict=verdict, **nothing)
    found = results(records(drift(slice="LGA"), value), [])
    rows = {row.feature: row for row in heat_map(found).rows}
    [cell] = rows[ROWS].cells
    assert cell is not None
    assert cell.verdict == verdict
    explained = explain(found, "2013-07-01", ROWS).drift
    assert words in sentence(explained)
    assert measures(explained) == []
