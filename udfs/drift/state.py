"""What is remembered of a model from window to window: distances of windows before, alarms, windows not yet closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from udfs.drift.alarm import Alarm

if TYPE_CHECKING:
    from udfs.drift.compared import Compared
    from udfs.drift.judge import Judgement

__all__ = ["AlarmLevel", "DriftState", "FeatureHistory"]


@dataclass
class FeatureHistory:
    """A feature in a slice at one level: its alarm, and the distances of windows outside of alarms, oldest first.

    `sizes` are those of the windows and their references together, in the same order; NaN where they are not known.
    `pending` has the distances and sizes of windows with drift that have not opened an alarm yet.
    """

    alarm: Alarm = field(default_factory=Alarm)
    distances: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    pending: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class AlarmLevel:
    """The level at which the alarm of a feature in a slice is open, or None, and the end of its last window.

    Sums that begin before `until`, in seconds, have windows of an alarm that is over: they open none. `opened` is the
    judgement that opened the newest alarm.
    """

    level: int | None = None
    until: int = 0
    opened: Judgement | None = None


@dataclass
class DriftState:
    """The whole state of a model.

    `histories` goes by slice, feature and level, `alarm_levels` by slice and feature. `open_windows` are those that
    late rows may still correct, by their start in seconds since 1970; in them by slice and group of features.
    """

    histories: dict[tuple[str, str, int], FeatureHistory] = field(default_factory=dict)
    alarm_levels: dict[tuple[str, str], AlarmLevel] = field(default_factory=dict)
    open_windows: dict[int, dict[tuple[str, int], Compared]] = field(default_factory=dict)

    @property
    def open_alarms(self) -> dict[tuple[str, str], tuple[Judgement, int]]:
        """By slice and feature: what opened an open alarm, and since when its drift lasts, in seconds."""
        found = {}
        for (label, feature), at in self.alarm_levels.items():
            if at.level is not None and at.opened is not None:
                since = self.histories[label, feature, at.level].alarm.since
                found[label, feature] = at.opened, since or 0
        return found
