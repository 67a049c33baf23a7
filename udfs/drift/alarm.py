"""Alarms that open, hold and close: not one for each window of a long drift, and none for a single odd window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from udfs.drift.thresholds import Verdict

__all__ = ["CLOSES_AFTER", "OPENS_AFTER", "Alarm", "follow"]

OPENS_AFTER = 2
"""Windows with drift in a row that open an alarm."""

CLOSES_AFTER = 3
"""Windows without drift in a row that close it."""


@dataclass(frozen=True)
class Alarm:
    """What is known of a feature in a slice after some windows.

    `since` is the start of the first window of the drift that is going on, in milliseconds, or None. `against` counts
    the windows in a row that speak against the present state.
    """

    is_open: bool = False
    since: int | None = None
    against: int = 0


def follow(
    alarm: Alarm, verdict: Verdict, window_start: int, opens_after: int = OPENS_AFTER, closes_after: int = CLOSES_AFTER
) -> tuple[Alarm, Literal["opens", "closes"] | None]:
    """Return the state after the next window, and what happened. A window that was not tested changes nothing."""
    if verdict in ("too few", "no reference"):
        return alarm, None
    if (verdict == "drift") == alarm.is_open:
        return Alarm(alarm.is_open, alarm.since if alarm.is_open else None), None
    against = alarm.against + 1
    if alarm.is_open:
        if against < closes_after:
            return Alarm(is_open=True, since=alarm.since, against=against), None
        return Alarm(), "closes"
    since = window_start if alarm.since is None else alarm.since
    if against < opens_after:
        return Alarm(is_open=False, since=since, against=against), None
    return Alarm(is_open=True, since=since), "opens"
