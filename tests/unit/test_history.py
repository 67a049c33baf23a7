"""What a monitor remembers: the same after a restart at any window; as of a job that began a block before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.judged_windows import JudgedWindows
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count
from udfs.drift import history
from udfs.drift.monitor import LoadedMonitor, Monitor
from udfs.drift.reference import LEVELS, Keys, Profile

if TYPE_CHECKING:
    from udfs.drift.follow_windows import NewResults

HOUR = 3600
N = 200
_generator = np.random.default_rng(5)
REFERENCE = _generator.normal(size=5000).astype(np.float32)
FEATURES = Features(("x",), (choose_bins(lambda: [REFERENCE], 32),))
KEY = ("(all)", 0)
LOADED = LoadedMonitor(
    Monitor("m", "1", "", "", ("x",), (0.1,), ("sql/models/m.sql:3",), HOUR, allowed_lateness=2 * HOUR),
    Profile("m", "1", FEATURES, Keys(), {KEY: count(FEATURES, [REFERENCE])}),
)
SAMPLES = {
    shift: [count(FEATURES, [_generator.normal(shift, 1, N).astype(np.float32)]) for _ in range(8)]
    for shift in (0.0, 0.4, 2.0)
}
WINDOWS = history.BLOCK
LONGEST = 1 << LEVELS - 1
"""Windows of the longest sum."""
FEW = 8
"""Windows of a block in these tests: long streams take a while."""


def sample(shift: float, number: int) -> Counts:
    return SAMPLES[shift][number % 8]


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BLOCK", FEW)


def changes(new: list[NewResults]) -> list[tuple[int, bool, int]]:
    """Return for each change of an alarm: the window it comes with, whether it opens, and since when."""
    return [(c.result.start // HOUR, c.opens, c.since // HOUR) for one in new for c in one.changes]


STREAMS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.4, 2.0]), st.sampled_from([1, 1, 1, 2, 9]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=60,
)
"""For each window: its shift, how far it is from the one before, whether a worker restarts, whether late rows come."""


@settings(max_examples=40)
@given(stream=STREAMS)
def test_a_restart_at_any_window_changes_nothing(stream: list[tuple[float, int, bool, bool]]) -> None:
    restarted, lasting = JudgedWindows(LOADED), JudgedWindows(LOADED)
    number = FEW
    for shift, step, restarts, late in stream:
        number += step
        if restarts:
            restarted.restart()
        for job in (restarted, lasting):
            job.new = [job.window(number * HOUR, {KEY: sample(shift, number)})]  # type: ignore[attr-defined]
            if late:
                job.new.append(job.late(number * HOUR, KEY, sample(2.0, number)))  # type: ignore[attr-defined]
        assert restarted.new == lasting.new  # type: ignore[attr-defined]


@settings(max_examples=20)
@given(shifts=st.lists(st.sampled_from([0.0, 0.4, 2.0]), min_size=1, max_size=90))
def test_a_job_that_began_a_block_before_finds_the_same(shifts: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "BLOCK", LONGEST)
        whole, later = JudgedWindows(LOADED), JudgedWindows(LOADED)
        first = history.first_window(len(shifts) * HOUR, HOUR) // HOUR
        for number, shift in enumerate(shifts, 1):
            found = whole.window(number * HOUR, {KEY: sample(shift, number)})
            if number >= first:
                new = later.window(number * HOUR, {KEY: sample(shift, number)})
        assert new.results == found.results


def test_a_block_has_whole_sums() -> None:
    assert WINDOWS % LONGEST == 0


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_each_alarm_opens_once_and_closes_once_however_long_it_lasts(shift: float) -> None:
    job = JudgedWindows(LOADED)
    shifts = [0.0] * 12 + [2.0] * 60 + [shift] * 12
    new = [job.window((FEW + i) * HOUR, {KEY: sample(s, i)}) for i, s in enumerate(shifts)]
    found = changes(new)
    assert found[0] == (FEW + 13, True, FEW + 12)
    assert [opens for _, opens, _ in found] == ([True, False] if not shift else [True])
    if not shift:  # of an alarm that is older than what is remembered, the drift began before that
        at, _, since = found[1]
        assert at == FEW + 74
        assert since == history.first_window((FEW + 73) * HOUR, HOUR) // HOUR
