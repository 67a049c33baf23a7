"""An alarm that opens after several windows with drift and closes after several without.

So a long drift is one alarm, not one for each window, and a single unusual window is none.

>>> alarm, event = next_alarm(Alarm(), "drift", 1000)
>>> event is None
True
>>> next_alarm(alarm, "drift", 2000)
(Alarm(is_open=True, since=1000, against=0), 'opens')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from udfs.drift.thresholds import Verdict

__all__ = ["CLOSES_AFTER", "OPENS_AFTER", "Alarm", "next_alarm"]

OPENS_AFTER = 2
"""Windows with drift in a row that open an alarm."""

CLOSES_AFTER = 3
"""Windows without drift in a row that close it."""


@dataclass(frozen=True)
class Alarm:
    """The alarm of a feature in a slice after some windows.

    `since` is the start of the first window of the present drift, in the unit of `next_alarm`'s `window_start`; None
    where there is no drift. `against` counts the windows in a row whose verdict differs from the present state.
    """

    is_open: bool = False
    since: int | None = None
    against: int = 0


def next_alarm(
    alarm: Alarm, verdict: Verdict, window_start: int, opens_after: int = OPENS_AFTER, closes_after: int = CLOSES_AFTER
) -> tuple[Alarm, Literal["opens", "closes"] | None]:
    """Return the alarm after the next window, and what happens with it.

    A window without a test, "too few" or "no reference", changes nothing.
    """
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
