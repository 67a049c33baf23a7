"""Follow the alarm of a feature in a slice, over single windows and sums of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from udfs.drift.alarm import CLOSES_AFTER, OPENS_AFTER, Alarm, follow
from udfs.drift.reference import HISTORY
from udfs.drift.state import Followed, Memory, Standing

if TYPE_CHECKING:
    from udfs.drift.judge import Judgement
    from udfs.drift.reference import Profile

__all__ = ["earlier", "take"]


def take(
    profile: Profile, memory: Memory, level: int, span: tuple[int, int], judgement: Judgement
) -> tuple[Judgement, bool | None, int]:
    """Take a feature's next judgement at a level, of a window from and to `span` in seconds; changes `memory`.

    Returns the judgement, which is drift as long as an open alarm holds; whether an alarm opens (True) or closes
    (False) with it; and since when that alarm's drift goes on. There is one alarm for all levels: the first level that
    opens one closes it, and the others rest meanwhile.
    """
    label, feature = judgement.label, judgement.comparison.feature
    followed = _followed(profile, memory, level, label, feature)
    standing = memory.standing.setdefault((label, feature), Standing())
    start, end = span
    if standing.level is not None and judgement.holds:
        judgement = replace(judgement, verdict="drift")
    resting = standing.level not in (None, level) or (standing.level is None and start < standing.until)
    since = followed.alarm.since
    opens = None
    if resting:
        followed.alarm = Alarm()
    else:
        # One sum without drift is several windows in a row.
        closes_after = 1 if level else CLOSES_AFTER
        followed.alarm, event = follow(followed.alarm, judgement.verdict, start, OPENS_AFTER, closes_after)
        if event:
            opens = event == "opens"
            since = followed.alarm.since if opens else since
            standing.level = level if opens else None
            standing.until = end
    if standing.level is not None:
        standing.until = max(standing.until, end)
    _remember(followed, judgement, within_alarm=standing.level is not None)
    return judgement, opens, start if since is None else since


def earlier(profile: Profile, memory: Memory, level: int, label: str, feature: str) -> list[float]:
    """Return the distances of earlier windows, or sums of the same level."""
    return _followed(profile, memory, level, label, feature).distances


def _followed(profile: Profile, memory: Memory, level: int, label: str, feature: str) -> Followed:
    """Return what is remembered of a feature; of a new one, the distances of the reference's own windows."""
    key = label, feature, level
    if key not in memory.followed:
        memory.followed[key] = Followed(distances=[*profile.distances.get(key, ())])
    return memory.followed[key]


def _remember(followed: Followed, judgement: Judgement, *, within_alarm: bool) -> None:
    """Keep a window's distance for later ranks, but not one of the windows that opened an alarm or are within it."""
    distance = judgement.comparison.d_lo
    if within_alarm:
        followed.pending = []
    elif distance is not None and judgement.verdict == "drift":
        followed.pending.append(distance)
    elif distance is not None:
        followed.distances = [*followed.distances, *followed.pending, distance][-HISTORY:]
        followed.pending = []
