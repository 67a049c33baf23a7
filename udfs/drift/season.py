"""Seasons of a stream: a window is compared with the reference of its own part of the day or the week.

>>> part_of("hour of day", 90_000), part_of("day of week", 0)  # 1970-01-02 01:00 UTC; 1970-01-01 was a Thursday
(1, 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PARTS", "UNIT_SECONDS", "Season", "part_of"]

Season = Literal["none", "hour of day", "day of week", "hour of week"]

_HOUR, _DAY = 3600, 86_400

PARTS: dict[Season, int] = {"none": 1, "hour of day": 24, "day of week": 7, "hour of week": 168}
"""How many parts each season has."""

UNIT_SECONDS: dict[Season, int | None] = {
    "none": None,
    "hour of day": _HOUR,
    "day of week": _DAY,
    "hour of week": _HOUR,
}
"""How long a part is, in seconds; a window may not be longer."""

_MONDAY = 4 * _DAY  # the first one after 1970-01-01


@overload
def part_of(season: Season, seconds: int) -> int: ...
@overload
def part_of(season: Season, seconds: NDArray[np.int64]) -> NDArray[np.int64]: ...
def part_of(season: Season, seconds: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """Return the part of the season, from 0, of a time in seconds since 1970, UTC. Weeks begin on Monday.

    `seconds` may be a number, or int64 of any shape.
    """
    unit = UNIT_SECONDS[season]
    if unit is None:
        return seconds * 0
    return (seconds - _MONDAY) // unit % PARTS[season]
