"""Seasons of a stream: the part of a day or a week that a window lies in says which reference it is compared with."""

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
"""How long a part is; a window may not be longer."""

_MONDAY = 4 * _DAY  # the first one after 1970-01-01


@overload
def part_of(season: Season, seconds: int) -> int: ...
@overload
def part_of(season: Season, seconds: NDArray[np.int64]) -> NDArray[np.int64]: ...
def part_of(season: Season, seconds: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """Return the part of the season, from 0, that a time lies in: UTC, in seconds since 1970. Weeks begin on Monday."""
    unit = UNIT_SECONDS[season]
    if unit is None:
        return seconds * 0
    return (seconds - _MONDAY) // unit % PARTS[season]
