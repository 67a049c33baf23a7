"""Whether a reference has enough rows and windows, and what a small one cannot show."""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ModelError
from udfs.distributions.bins import Bins
from udfs.drift.season import PARTS
from udfs.drift.thresholds import ALPHA, D_MIN, LEAST_N, margin

if TYPE_CHECKING:
    from udfs.drift.reference import Profile

__all__ = ["check_size", "size_warnings"]

_HUGE = 10**12  # rows of a window whose own error is nothing
_LEVEL = ALPHA / 2  # one half for the distance, one for NULLs: see `udfs.drift.judge`
_WINDOWS = 20  # so many that a rank of .1 is possible for the two largest
_WIDE = 0.05
_MOSTLY = 0.5


def check_size(profile: Profile, rows: str) -> None:
    """Raise ModelError for a reference with fewer rows than a window needs."""
    if profile.whole.rows < LEAST_N:
        little, much = 2 * D_MIN, 1.25 * D_MIN
        found = (
            f"{least_rows(little):,} rows show differences above {little:g}, {least_rows(much):,} those above {much:g}"
        )
        raise ModelError(
            f"{rows} has {profile.whole.rows} rows, too few for a reference: at least {LEAST_N} are needed",
            facts=("with fewer, chance alone makes distances as large as any drift", found),
            fixes=("use the rows that the model was trained on",),
        )


def least_rows(difference: float) -> int:
    """Return the fewest rows of a reference with which a difference can be found, in a window of any size.

    The margin's error of m rows, sqrt(ln(4 / level) / 2m), must be at most the difference less D_MIN.

    >>> least_rows(0.2)
    450
    """
    return ceil(log(4 / _LEVEL) / (2 * (difference - D_MIN) ** 2))


def size_warnings(profile: Profile) -> list[str]:
    """Return a sentence on each thing that a reference is too small for."""
    return [*_few_rows(profile), *_few_windows(profile), *_missing_parts(profile), *_wide_bounds(profile)]


def _few_rows(profile: Profile) -> list[str]:
    rows, least = profile.whole.rows, least_rows(2 * D_MIN)
    if rows < least:
        smallest = margin(_HUGE, rows, D_MIN, _LEVEL)
        found = f"only differences above {smallest:.2f} can be found"
        return [f"{rows:,} rows are few: {found}; with {least:,} rows, those above {2 * D_MIN:g}"]
    if not profile.keys.slice_column:
        return []
    by_slice = dict.fromkeys(profile.keys.labels, 0)
    for (label, _), counts in profile.counts.items():
        by_slice[label] += counts.rows
    few = [f"{label} ({some})" for label, some in by_slice.items() if 0 < some < LEAST_N]
    return [f"slices with fewer than {LEAST_N} rows, too few to find drift in: {', '.join(few)}"] if few else []


def _few_windows(profile: Profile) -> list[str]:
    if not profile.keys.window:
        return []
    windows = max((len(found) for (_, _, level), found in profile.distances.items() if not level), default=0)
    if windows >= _WINDOWS:
        return []
    there = f"the rows have {windows} windows of {profile.keys.window:,} s with at least {LEAST_N} values"
    why = "what is usual among windows is learned from them; until the job has seen more, autocorrelated rows may alarm"
    return [f"{there}, fewer than {_WINDOWS}: {why}"]


def _missing_parts(profile: Profile) -> list[str]:
    season = profile.keys.season
    missing = PARTS[season] - len({part for _, part in profile.counts})
    where = f"{missing} of {PARTS[season]} parts of the season '{season}'"
    return [f"the rows have none in {where}: windows there get no verdict"] if missing else []


def _wide_bounds(profile: Profile) -> list[str]:
    found = []
    for name, column in zip(profile.features.names, profile.features.columns, strict=True):
        bound = profile.bound(name)
        if isinstance(column, Bins) and bound > _WIDE:
            what = f"many values of `{name}` are one float32, so its distances are known within {bound:.2f} only"
            found.append(f"{what}: subtract a constant from it in SQL, or make it text")
        elif bound > _MOSTLY:
            what = f"{bound:.0%} of the values of `{name}` are rare ones that are not counted one by one"
            found.append(f"{what}: if it is an identifier, leave it out of 'monitor.columns'")
    return found
