"""Results of drift detection: the D of each feature, the worst windows, alarms and their ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["Alarm", "Drift", "Gap", "Row"]


@dataclass(frozen=True)
class Row:
    """A feature in all windows.

    `d` and `drifted` go with the windows' starts: the D of the slice that is farthest from its reference (None: not
    known), and whether any slice was judged drift. `windows` were judged, counted in each slice; `beyond` of them were
    beyond their margin. `mean` and `largest` are of D.
    """

    feature: str
    d: list[float | None]
    drifted: list[bool]
    windows: int
    beyond: int
    mean: float
    largest: float


@dataclass(frozen=True)
class Gap:
    """A window, or a sum of windows, of a feature against its reference; `now` and `then` are quantiles."""

    slice: str
    feature: str
    start: datetime
    end: datetime
    d: float
    margin: float
    now: list[float]
    then: list[float]


@dataclass(frozen=True)
class Alarm:
    """An alarm: open from the start of its drift until a window closed it; None if it is still open.

    `opened_by` is the window that opened it, None where that is not recorded.
    """

    slice: str
    feature: str
    since: datetime
    until: datetime | None
    opened_by: Gap | None


@dataclass(frozen=True)
class Drift:
    """All results. `starts` are those of the windows, which have one `length`, the last one ends at `end`.

    `windows` counts the judged ones, in each slice and feature, `sums` those of several windows, `drifted` both that
    have drifted. `rows` and `gaps` begin with the worst; `alarms` are in the order in which they opened.
    """

    starts: list[datetime]
    length: timedelta
    end: datetime
    slices: list[str]
    windows: int
    sums: int
    drifted: int
    rows: list[Row]
    gaps: list[Gap]
    alarms: list[Alarm]

    @property
    def unit(self) -> str:
        """The unit of windows, in the plural."""
        return "days" if self.length == timedelta(days=1) else "windows"

    @property
    def still_open(self) -> int:
        """The number of alarms that are still open."""
        return sum(alarm.until is None for alarm in self.alarms)

    @property
    def worst(self) -> Gap | None:
        """The window that opened an alarm and was farthest beyond its margin."""
        openings = [alarm.opened_by for alarm in self.alarms if alarm.opened_by]
        return max(openings, key=lambda gap: gap.d - gap.margin, default=None)

    def windows_open(self, alarms: Iterable[Alarm]) -> int:
        """Count the windows in which at least one of these alarms was open."""
        spans = [(alarm.since, alarm.until or self.end) for alarm in alarms]
        return sum(any(since <= start < until for since, until in spans) for start in self.starts)

    def as_json(self) -> dict[str, int]:
        """Return the counts."""
        counts = {"windows": self.windows, "sums": self.sums, "drifted": self.drifted}
        return {**counts, "alarms": len(self.alarms), "alarms_open": self.still_open}
