"""What is monitored of a model, and the reference profile that its windows are compared with.

A quarter of the reference's delays are at most 0, all of the window's are: their distance is at least three quarters.

>>> from udfs.distributions import bins, count_layout, counts
>>> from udfs.distributions.partial import to_bytes
>>> from udfs.drift.reference import Keys
>>> features = count_layout.Features(("delay",), (bins.Bins(np.array([0], np.float32)),))
>>> usual, early = (counts.count(features, [np.array(delays, np.float32)]) for delays in ([-5, 5, 5, 5], [-5, -5]))
>>> data = to_bytes(replace(early, parts={0: 2}))
>>> profile = Profile("m", "1", features, Keys(), {("(all)", 0): usual})
>>> hourly = LoadedMonitor(Monitor("m", "1", "", "", ("delay",), (0.1,), ("",), window=3600), profile)
>>> [comparison] = hourly.compare(level=0, start=7200, label="(all)", group=0, data=data).comparisons
>>> comparison.n, comparison.d_lo
(2, 0.75)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.bins import Bins, as_float32
from udfs.distributions.partial import from_bytes
from udfs.drift.compare import compare
from udfs.drift.compared import Compared
from udfs.drift.counting import BatchCounts, count_batch
from udfs.drift.reference import Profile, ProfileError, read_profile
from udfs.local_file import FileError, local_file
from udfs.nulls import with_nulls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from udfs.distributions.categories import Categories
    from udfs.distributions.count_layout import Features

__all__ = ["GROUP", "PARTIALS", "LoadedMonitor", "Monitor"]

PARTIALS = "_partials"
"""The field of the scoring result that has partial counts. It is one field: each takes time for every row."""

GROUP = 8
"""How many features are merged and compared at a time."""


@dataclass(frozen=True)
class Monitor:
    """What is monitored of a model, and how; small and picklable.

    `reference` is the profile's file: a path, or a URI that pyarrow's file systems know; `sha256` is its digest.
    `d_min` has a value for each of the `features`, and `places` says where in SQL each of them is defined.
    `window` and `allowed_lateness` are in seconds. `sliced` is True where the profile has slices, and
    `slice_place` says where in SQL they are named.
    It is a rider of the scoring call: see `udfs.scoring.rider.Rider`.
    """

    model: str
    version: str
    reference: str
    sha256: str
    features: tuple[str, ...]
    d_min: tuple[float, ...]
    places: tuple[str, ...]
    window: int
    allowed_lateness: int = 0
    sliced: bool = False
    slice_place: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The dtypes of the event time, in seconds since 1970, 0 for NULL; and, if `sliced`, of the slice."""
        return ("int64", "string") if self.sliced else ("int64",)

    @property
    def fields(self) -> dict[str, str]:
        """The SQL type of PARTIALS.

        It has a value for one row of each batch, window and slice: the slice's label in UTF-8, then the partial counts
        of each group of features. It is NULL on all other rows.
        """
        return {PARTIALS: "ARRAY<BYTES>"}

    def load(self) -> LoadedMonitor:
        """Read the profile.

        Raises ProfileError for a file that is missing, damaged, or not the one that the job was planned with.
        """
        try:
            path = local_file(self.reference, self.sha256)
        except FileError as error:
            raise ProfileError(str(error)) from error
        if not path.is_file():
            raise ProfileError(f"the reference profile {path} is missing; put it back, or start the job again")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise ProfileError(f"{path}: its sha256 is {found}, but the job was planned with {self.sha256}")
        return LoadedMonitor(self, read_profile(path, self.model))


@dataclass(frozen=True)
class LoadedMonitor:
    """A monitor with its reference profile."""

    monitor: Monitor
    profile: Profile

    def ride(
        self, columns: Mapping[str, NDArray[Any]], arguments: Sequence[NDArray[Any]]
    ) -> dict[str, NDArray[np.object_]]:
        """Return PARTIALS for a batch of n rows, shape (n,); see `udfs.scoring.rider.LoadedRider`."""
        seconds, *slices = arguments
        both = zip(self.monitor.features, self.features.columns, strict=True)
        values = [_counted(columns[name], column) for name, column in both]
        partials = np.full(len(seconds), None, object)
        for counts in self.count(values, seconds, slices[0] if slices else None):
            partials[counts.row] = [counts.label.encode(), *counts.partials]
        return {PARTIALS: partials}

    def count(
        self, values: Sequence[NDArray[Any]], seconds: NDArray[np.int64], slices: NDArray[np.object_] | None
    ) -> list[BatchCounts]:
        """Count a batch by window and slice; the arguments are as for `count_batch`."""
        keys, window = self.profile.keys, self.monitor.window
        return count_batch(
            values, seconds, slices, groups=self.groups, features=self.features, keys=keys, window=window
        )

    @cached_property
    def features(self) -> Features:
        """The monitored columns, in the monitor's order."""
        return self.profile.features.select(self.monitor.features)

    @cached_property
    def groups(self) -> list[Features]:
        """The monitored columns in groups of at most GROUP."""
        return self.features.groups(GROUP)

    @cached_property
    def _profiles(self) -> list[Profile]:
        """The profile of each group of features."""
        return [
            replace(self.profile, features=group, counts={k: c.select(group) for k, c in self.profile.counts.items()})
            for group in self.groups
        ]

    def compare(self, level: int, start: int, label: str, group: int, data: bytes, late: int = 0) -> Compared:
        """Compare a slice's counts of one group of features, as bytes, with the reference.

        They are those of the window that starts at `start`, in seconds, or of 2^level windows from there on, of which
        `late` rows are late. The reference is mixed as the rows are distributed over the season's parts.
        Raises PartialError for bytes that are not counts of these features.
        """
        counts = from_bytes(data, self.groups[group])
        comparisons = compare(self._profiles[group].reference(label, counts.parts), counts)
        return Compared(level, start, label, group, counts.parts, tuple(comparisons), late)


def _counted(values: NDArray[Any], column: Bins | Categories) -> NDArray[Any]:
    """Return a column as `count_batch` expects it: numbers as float32 where that is enough, text as str or None."""
    if values.dtype.kind == "O":
        return with_nulls(values)
    return values if isinstance(column, Bins) and column.needs_own_dtype else as_float32(values)
