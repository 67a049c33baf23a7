"""The alarm of a feature in a slice, over single windows and sums of them: the first level that opens it closes it.

Single windows open the alarm here, so the sum of both does not:

>>> from udfs.distributions.count_layout import Features
>>> from udfs.drift import compare, judge, reference
>>> profile = reference.Profile("m", "1", Features((), ()), reference.Keys(), {})
>>> drift = judge.Judgement("(all)", compare.Comparison("delay", 1000, 0, 10_000, 0), "drift", None, None, None, True)
>>> state = DriftState()
>>> [update_alarm(profile, state, 0, span, drift)[1:] for span in ((0, 10), (10, 20))]
[(None, 0), (True, 0)]
>>> update_alarm(profile, state, 1, (0, 20), drift)[1:], state.alarm_levels["(all)", "delay"].level
((None, 0), 0)
"""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from udfs.drift.alarm import CLOSES_AFTER, OPENS_AFTER, Alarm, next_alarm
from udfs.drift.reference import HISTORY
from udfs.drift.slice_rows import ROWS
from udfs.drift.state import AlarmLevel, DriftState, FeatureHistory
from udfs.drift.thresholds import like_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.drift.compare import Comparison
    from udfs.drift.judge import Judgement
    from udfs.drift.reference import Profile

__all__ = ["earlier_distances", "history_of", "update_alarm"]


def update_alarm(
    profile: Profile, state: DriftState, level: int, span: tuple[int, int], judgement: Judgement
) -> tuple[Judgement, bool | None, int]:
    """Update a feature's alarm in a slice by its next judgement at a level; changes `state`.

    `span` is from when to when the window or sum of windows lasts, in seconds.
    Returns the judgement, which is "drift" as long as an open alarm holds; whether the alarm opens (True), closes
    (False) or neither (None) with it; and since when the alarm's drift lasts, in seconds.
    There is one alarm for all levels: while one level has it open, and for windows before it closed, the other levels
    are not tested.
    """
    label, feature = judgement.label, judgement.comparison.feature
    history = history_of(profile, state, level, label, feature)
    alarm_level = state.alarm_levels.setdefault((label, feature), AlarmLevel())
    start, end = span
    if alarm_level.level is not None and judgement.holds:
        judgement = replace(judgement, verdict="drift")
    resting = alarm_level.level not in (None, level) or (alarm_level.level is None and start < alarm_level.until)
    since = history.alarm.since
    opens = None
    if resting:
        history.alarm = Alarm()
    else:
        # One sum without drift is several windows in a row.
        closes_after = 1 if level else CLOSES_AFTER
        history.alarm, event = next_alarm(history.alarm, judgement.verdict, start, OPENS_AFTER, closes_after)
        if event:
            opens = event == "opens"
            since = history.alarm.since if opens else since
            alarm_level.level = level if opens else None
            alarm_level.opened = replace(judgement, comparison=judgement.comparison.brief) if opens else None
            alarm_level.until = end
    if alarm_level.level is not None:
        alarm_level.until = max(alarm_level.until, end)
    _keep_distance(history, judgement, within_alarm=alarm_level.level is not None)
    return judgement, opens, start if since is None else since


def earlier_distances(
    profile: Profile, state: DriftState, level: int, label: str, comparison: Comparison
) -> NDArray[np.float64]:
    """Return the distances of earlier windows, or of sums at the same level, of a size like its own, oldest first."""
    history = history_of(profile, state, level, label, comparison.feature)
    found: NDArray[np.float64] = np.asarray(history.distances, float)[like_sizes(comparison.size, history.sizes)]
    return found


def history_of(profile: Profile, state: DriftState, level: int, label: str, feature: str) -> FeatureHistory:
    """Return a feature's history; that of a new one begins with the distances of the reference's own windows."""
    key = label, feature, level
    if key not in state.histories:
        absent = (profile.absent or {}).get((label, level), ())
        distances = absent if feature == ROWS else profile.distances.get(key, ())
        sizes = profile.sizes.get(key, (nan,) * len(distances))
        state.histories[key] = FeatureHistory(distances=[*distances], sizes=[*sizes])
    return state.histories[key]


def _keep_distance(history: FeatureHistory, judgement: Judgement, *, within_alarm: bool) -> None:
    """Keep a window's distance for later ranks, unless the window opened an alarm or lies within one."""
    distance = judgement.comparison.d_lo
    if within_alarm:
        history.pending = []
    elif distance is not None and judgement.verdict == "drift":
        history.pending.append((distance, judgement.comparison.size))
    elif distance is not None:
        added = [*history.pending, (distance, judgement.comparison.size)]
        history.distances = [*history.distances, *(d for d, _ in added)][-HISTORY:]
        history.sizes = [*history.sizes, *(size for _, size in added)][-HISTORY:]
        history.pending = []
