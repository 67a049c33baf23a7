"""From window to window: alarms open, hold and close, late rows correct, sums find what single windows do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.judged_windows import JudgedWindows
from udfs.distributions.categories import Categories
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count
from udfs.drift.compare import Comparison, compare
from udfs.drift.compared import Compared, from_json, to_json
from udfs.drift.follow_windows import LATE, AlarmChange, NewResults
from udfs.drift.judge import judge
from udfs.drift.monitor import LoadedMonitor, Monitor
from udfs.drift.record_values import ALERT_FIELDS, RESULT_FIELDS, alert_values, result_values
from udfs.drift.reference import ALL, LEVELS, Keys, Profile
from udfs.drift.thresholds import q_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR = 3600
N = 500
generator = np.random.default_rng(11)
REFERENCE = generator.normal(size=20_000).astype(np.float32)
FEATURES = Features(("x",), (choose_bins(lambda: [REFERENCE]),))
START = 1_700_006_400  # a multiple of 32 hours
MONITOR = Monitor("m", "1", "", "", ("x",), (0.1,), ("sql/models/m.sql:3",), HOUR)


def made(monitor: Monitor = MONITOR, distances: tuple[float, ...] = ()) -> LoadedMonitor:
    counts = {(ALL, 0): count(FEATURES, [REFERENCE])}
    return LoadedMonitor(
        monitor, Profile("m", "1", FEATURES, Keys(), counts, {(ALL, "x", level): distances for level in range(LEVELS)})
    )


def sample(values: NDArray[np.float64]) -> Counts:
    return count(FEATURES, [values.astype(np.float32)])


def judge_next(job: JudgedWindows, number: int, values: NDArray[np.float64]) -> NewResults:
    """Judge the next window."""
    return job.window(START + number * HOUR, {(ALL, 0): sample(values)})


def alarm_changes(new: list[NewResults]) -> list[tuple[bool, int, int]]:
    """Return for each change whether the alarm opens, since which window, and with which window."""
    return [(c.opens, (c.since - START) // HOUR, (c.result.start - START) // HOUR) for one in new for c in one.changes]


def test_an_alarm_opens_with_the_second_window_holds_and_closes() -> None:
    job = JudgedWindows(made())
    shifts = [0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    new = [judge_next(job, i, generator.normal(shift, 1, N)) for i, shift in enumerate(shifts)]
    assert alarm_changes(new) == [(True, 8, 9), (False, 8, 15)]
    verdicts = [r.judgement.verdict for one in new for r in one.results if r.end - r.start == HOUR]
    assert verdicts == ["drift" if shift else "stable" for shift in shifts]


def test_a_slow_drift_is_found_in_sums_alone() -> None:
    job = JudgedWindows(made(replace(MONITOR, d_min=(0.0,))))
    new = [judge_next(job, i, generator.normal(0.2, 1, 60)) for i in range(64)]
    results = [r for one in new for r in one.results]
    assert {r.judgement.verdict for r in results if r.end - r.start == HOUR} == {"stable"}
    longest = [r for r in results if r.end - r.start == 32 * HOUR]
    assert [r.judgement.verdict for r in longest] == ["drift", "drift"]
    assert longest[0].judgement.comparison.n == 32 * 60
    assert alarm_changes(new)[0][0]


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_sums_hold_each_window_once_whatever_windows_are_missing(cuts: list[int]) -> None:
    job = JudgedWindows(made())
    there = np.cumsum(cuts).tolist()
    totals: dict[tuple[int, int], int] = {}
    for number in there:
        for r in judge_next(job, number, np.zeros(number)).results:
            totals[(r.start - START) // HOUR, (r.end - r.start) // HOUR] = r.judgement.comparison.n
    for (first, size), n in totals.items():
        assert n == sum(number for number in there if first <= number < first + size)
    for number in there:
        assert (number, 1) in totals


def test_a_level_that_earlier_windows_had_opens_no_alarm_and_does_not_hold_one() -> None:
    job = JudgedWindows(made(distances=tuple(np.linspace(0.3, 0.6, 60))))
    new = [judge_next(job, i, generator.normal(1, 1, N)) for i in range(8)]  # a distance of .38
    assert alarm_changes(new) == []
    assert {r.judgement.verdict for one in new for r in one.results} == {"stable"}
    far = [judge_next(job, 8 + i, generator.normal(2.5, 1, N)) for i in range(4)]  # of .79
    assert [opens for opens, _, _ in alarm_changes(far)] == [True]
    back = [judge_next(job, 12 + i, generator.normal(1, 1, N)) for i in range(4)]
    assert [opens for opens, _, _ in alarm_changes(back)] == [False]


def test_values_that_are_all_null_are_drift() -> None:
    job = JudgedWindows(made())
    new = [judge_next(job, i, np.full(N, np.nan)) for i in range(2)]
    assert alarm_changes(new) == [(True, 0, 1)]
    message = alert_values(new[1].changes[0], MONITOR)[[*ALERT_FIELDS].index("message")]
    assert "100.0% of its values are NULL, 0.0% in the reference" in str(message)


def test_no_row_gets_no_verdict() -> None:
    [found] = compare(made().profile.counts[ALL, 0], sample(np.empty(0)))
    assert [j.verdict for j in judge([(ALL, found)], {"x": 0.1}, {})] == ["too few"]


@pytest.mark.parametrize("n", [1, 29])
def test_few_values_get_no_verdict(n: int) -> None:
    new = judge_next(JudgedWindows(made()), 0, generator.normal(9, 1, n))
    assert [(r.judgement.verdict, r.judgement.comparison.n) for r in new.results] == [("too few", n)]


def test_a_slice_that_the_reference_does_not_have_has_no_reference() -> None:
    counts = sample(generator.normal(size=N))
    new = JudgedWindows(made()).window(START, {("new", 0): counts})
    assert [r.judgement.verdict for r in new.results] == ["no reference"]


def test_late_rows_correct_an_open_window_and_lost_ones_are_counted() -> None:
    job = JudgedWindows(made(replace(MONITOR, allowed_lateness=2 * HOUR)))
    first, after = generator.normal(size=N), generator.normal(2, 1, N)
    judge_next(job, 0, first)
    judge_next(job, 1, first)
    new = job.late(START, (ALL, 0), sample(after))
    (result,) = new.results
    assert (result.start, result.late, result.judgement.comparison.n) == (START, N, 2 * N)
    both = np.concatenate((first, after)).astype(np.float32)
    exact = scipy.stats.ks_2samp(REFERENCE, both).statistic
    c = result.judgement.comparison
    assert c.d_lo is not None
    assert c.d_hi is not None
    assert c.d_lo - 1e-9 <= exact <= c.d_hi + 1e-9
    assert [*job.memory.state.open_windows] == [START, START + HOUR]
    for number in (2, 3):
        judge_next(job, number, first)
    assert START not in job.memory.state.open_windows
    (gone,) = job.lost(START, (ALL, 0), sample(after[:7])).results
    assert (gone.judgement.comparison.feature, gone.judgement.verdict, gone.late) == (LATE, "late", 7)


def test_an_alarm_has_a_message() -> None:
    job = JudgedWindows(made())
    new = [judge_next(job, i, generator.normal(3, 1, N)) for i in range(2)]
    (change,) = new[1].changes
    alert = dict(zip(ALERT_FIELDS, alert_values(change, MONITOR), strict=True))
    assert (alert["feature"], alert["event"], alert["since"]) == ("x", "opens", START * 1000)
    message = str(alert["message"])
    assert message.startswith("m 1: x in slice (all) has drifted since 2023-11-15 00:00 UTC: its distribution is 0.8")
    assert "window of 1 hour; see sql/models/m.sql:3" in message
    closing = AlarmChange(change.result, opens=False, since=START)
    assert "is as in the reference again" in str(alert_values(closing, MONITOR)[6])
    values = dict(zip(RESULT_FIELDS, result_values(new[0].results[0]), strict=True))
    assert (values["n"], values["window_end"], len(values["quantiles"])) == (N, (START + HOUR) * 1000, 10)  # type: ignore[arg-type]  # a list


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_scipys(p: list[float]) -> None:
    np.testing.assert_allclose(q_values(p), scipy.stats.false_discovery_control(p), rtol=1e-12)


def test_many_features_make_one_odd_p_value_no_drift() -> None:
    odd = Comparison("x0", 10**6, 0, 10**9, 0, d_lo=0.02, d_hi=0.02, p=2e-4)
    others = [Comparison(f"x{i}", 10**6, 0, 10**9, 0, d_lo=0.001, d_hi=0.001, p=0.5) for i in range(1, 20)]
    d_min = {c.feature: 0.0 for c in (odd, *others)}
    assert [j.verdict for j in judge([(ALL, odd)], d_min, {})] == ["drift"]
    assert {j.verdict for j in judge([(ALL, c) for c in (odd, *others)], d_min, {})} == {"stable"}


def test_text_is_compared_by_its_categories() -> None:
    features = Features(("where",), (Categories(("a", "b")),))
    then = count(features, [np.array(["a"] * 60 + ["b"] * 40, object)])
    now = count(features, [np.array(["a"] * 10 + ["c"] * 30 + [None] * 10, object)])
    (found,) = compare(then, now)
    assert (found.n, found.nulls, found.quantiles) == (40, 10, ())
    assert found.d_lo == pytest.approx((abs(0.6 - 0.25) + 0.4 + 0.75) / 2)
    compared = Compared(0, START, ALL, 0, {0: 50}, (found,))
    assert from_json(to_json(compared)) == compared
