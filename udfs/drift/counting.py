"""Counting a batch beside its scores: for each window and slice, partial counts that ride on one of its rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.counts import count_groups
from udfs.distributions.partial import to_bytes
from udfs.drift.compare import compare
from udfs.drift.reference import Profile, ProfileError, read_profile
from udfs.drift.season import part_of
from udfs.scoring.model_store import FileError, local_file
from udfs.scoring.nulls import with_nulls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from udfs.distributions.count_layout import Features
    from udfs.distributions.counts import Counts
    from udfs.drift.compare import Comparison

__all__ = ["CARRIED", "EARLIEST", "GROUP", "LATEST", "Carried", "LoadedMonitor", "Monitor", "carry"]

CARRIED = "_partials"
"""The field that counts ride in. It is one field, for each costs time on every row."""

GROUP = 8
"""How many features one merging operator has at a time."""

EARLIEST, LATEST = 631_152_000, 4_102_444_800
"""Event times in seconds since 1970, from 1990 to 2100: rows of any other time are in no window."""


@dataclass(frozen=True)
class Monitor:
    """What is monitored of a model, and how; small and picklable.

    `reference` is the profile's file: a path, or a URI that pyarrow's file systems know. `d_min` has a value for each
    of the `features`, `places` says where each stands in SQL. Windows and the time that they wait for late rows are in
    seconds.
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

    @property
    def arguments(self) -> tuple[str, ...]:
        """Event time in seconds since 1970, 0 for NULL; and the slice, where the profile has slices."""
        return ("int64", "string") if self.sliced else ("int64",)

    @property
    def fields(self) -> dict[str, str]:
        """For one row of each batch, window and slice: the slice's label in UTF-8, then partial counts by group.

        It is NULL on all other rows.
        """
        return {CARRIED: "ARRAY<BYTES>"}

    def load(self) -> LoadedMonitor:
        """Read the profile. Raises ProfileError for one that is missing, damaged, or another than was planned with."""
        try:
            path = local_file(self.reference, self.sha256)
        except FileError as error:
            raise ProfileError(str(error)) from error
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
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
        """Count a batch of n rows; see `udfs.scoring.rider.LoadedRider`."""
        seconds, *slices = arguments
        values = [_counted(columns[name]) for name in self.monitor.features]
        carried = np.full(len(seconds), None, object)
        for one in carry(self, values, seconds, slices[0] if slices else None):
            carried[one.row] = [one.label.encode(), *one.partials]
        return {CARRIED: carried}

    @cached_property
    def features(self) -> Features:
        """The monitored columns, in the monitor's order."""
        return self.profile.features.select(self.monitor.features)

    @cached_property
    def groups(self) -> list[Features]:
        """The same in groups."""
        return self.features.groups(GROUP)

    def reference(self, group: int, label: str, rows: Mapping[int, int]) -> Counts | None:
        """Return what a slice's window is compared with, as Profile.reference does, in one group of features."""
        return self._profiles[group].reference(label, rows)

    @cached_property
    def _profiles(self) -> list[Profile]:
        """The profile of each group of features."""
        return [
            replace(self.profile, features=group, counts={k: c.select(group) for k, c in self.profile.counts.items()})
            for group in self.groups
        ]

    def compare_window(self, group: int, label: str, start: int, window: Counts) -> list[Comparison]:
        """Compare a slice's counts of one window, which starts at `start` in seconds, in one group of features."""
        return compare(self.reference(group, label, {part_of(self.profile.keys.season, start): 1}), window)


@dataclass(frozen=True)
class Carried:
    """What a row carries for all rows of its batch, window and slice: `start` of the window in seconds."""

    row: int
    start: int
    label: str
    partials: list[bytes]


def carry(
    loaded: LoadedMonitor,
    values: Sequence[NDArray[Any]],
    seconds: NDArray[np.int64],
    slices: NDArray[np.object_] | None,
) -> list[Carried]:
    """Count a batch of n rows, each column of shape (n,) as `udfs.distributions.counts.count` takes it.

    `seconds` since 1970 and `slices` (str or None) have shape (n,). What is carried stands on the last row of its
    window and slice. Rows whose time is before EARLIEST or from LATEST on are left out.
    """
    if not len(seconds):
        return []
    if seconds.min() < EARLIEST or seconds.max() >= LATEST:
        rows = np.flatnonzero((seconds >= EARLIEST) & (seconds < LATEST))
        kept = carry(loaded, [v[rows] for v in values], seconds[rows], None if slices is None else slices[rows])
        return [Carried(int(rows[c.row]), c.start, c.label, c.partials) for c in kept]
    labels = loaded.profile.keys.labels
    codes = seconds // loaded.monitor.window * len(labels)
    if slices is not None:
        codes += loaded.profile.keys.slices.find(slices)
    found, group = _groups(codes)
    last = np.empty(len(found), np.intp)
    last[group] = np.arange(len(codes))  # of several, the last one stays
    counted = count_groups(loaded.features, values, group, len(found))
    return [
        Carried(
            int(row),
            int(code // len(labels)) * loaded.monitor.window,
            labels[code % len(labels)],
            [to_bytes(counts.select(features)) for features in loaded.groups],
        )
        for code, row, counts in zip(found, last, counted, strict=True)
    ]


def _counted(values: NDArray[Any]) -> NDArray[Any]:
    """Return a column as it is counted: float32 with NaN for NULL, or str or None."""
    nullable = with_nulls(values)
    if values.dtype.kind == "O":
        return nullable
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite
        return np.ascontiguousarray(nullable, np.float32)  # of None it makes NaN


def _groups(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the different codes, ascending, and which of them each row has; mostly there is one alone."""
    if codes.min() == codes.max():
        return codes[:1], np.zeros(len(codes), np.intp)
    return np.unique(codes, return_inverse=True)
