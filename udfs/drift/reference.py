"""The reference profile of a model: the distributions of its inputs and outputs when it was trained.

A window of several parts of a season is compared with their mixture, in the window's proportions:

>>> from udfs.distributions.counts import count
>>> features = Features(("delay",), (Bins(np.array([0], np.float32)),))
>>> early, late = (count(features, [np.full(n, value, np.float32)]) for value, n in ((-5, 10), (5, 40)))
>>> mixture({0: early, 1: late}, rows={0: 300, 1: 100}).cells.tolist()
[7.5, 2.5, 0.0]
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.distributions.bins import Bins
from udfs.distributions.categories import Categories, CategoryCounts
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from udfs.drift.season import Season

__all__ = [
    "ALL",
    "HISTORY",
    "LEVELS",
    "NULL",
    "REST",
    "Keys",
    "Profile",
    "ProfileError",
    "mixture",
    "read_profile",
    "write_profile",
]

_VERSION = "1"
_SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("edges", pa.list_(pa.float32())),  # NULL for categories
        ("center", pa.float32()),
        ("dtype", pa.string()),  # of the atoms; NULL where float32 tells all values apart
        ("atoms", pa.list_(pa.string())),
        ("categories", pa.list_(pa.string())),  # NULL for numbers
        ("counts", pa.list_(pa.list_(pa.int64()))),  # for each key: of each bin or category, and NULLs
        ("least", pa.list_(pa.float32())),  # for each key
        ("most", pa.list_(pa.float32())),
        ("distances", pa.list_(pa.list_(pa.float32()))),  # for each slice, by its label, and in it for each level
        ("sizes", pa.list_(pa.list_(pa.float32()))),  # likewise; NULL in files of older versions
    ]
)

HISTORY = 200
"""How many earlier windows a distance is ranked among."""

LEVELS = 6
"""Windows, and sums of 2, 4, ... 32 of them."""

ALL, REST, NULL = "(all)", "(rest)", "(null)"
"""The labels of slices that are not a value of the slicing column: all rows, rare values, NULL."""


class ProfileError(ValueError):
    """A profile that cannot be built or read; the text has the reason."""


@dataclass(frozen=True)
class Keys:
    """What a profile is divided by: the most frequent values of a slicing column, and the parts of a season.

    `time` and `slice_column` name the columns; None where it is not divided by them. `window` is the length, in
    seconds, of the windows that its own distances are of; 0 for none.
    """

    slice_column: str | None = None
    slices: Categories = field(default_factory=lambda: Categories(()))
    time: str | None = None
    season: Season = "none"
    window: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the slices, in the order of the numbers that `slices.find` returns."""
        return (*self.slices.names, REST, NULL) if self.slice_column else (ALL,)


@dataclass(frozen=True, eq=False)
class Profile:
    """The counts of each slice and part of the season that has rows, by both.

    `distances` are by slice, feature and level: how far the newest windows of the reference, or sums of 2^level of
    them, are from the rest of it. `sizes` are those of both samples together (see `udfs.drift.thresholds.together`), in
    the same order; NaN where they are not known.
    `absent` has, by slice and level, 1 for each of these windows without a row of the slice, 0 for each with rows;
    None where it is not known, as in files of older versions: then it is not noticed if a slice vanishes.
    `inexact` names the columns with integers beyond 2^24, which are compared as the nearest float32.
    """

    model: str
    version: str
    features: Features
    keys: Keys
    counts: dict[tuple[str, int], Counts]
    distances: dict[tuple[str, str, int], tuple[float, ...]] = field(default_factory=dict)
    sizes: dict[tuple[str, str, int], tuple[float, ...]] = field(default_factory=dict)
    inexact: tuple[str, ...] = ()
    absent: dict[tuple[str, int], tuple[float, ...]] | None = None

    @cached_property
    def whole(self) -> Counts:
        """The counts of all rows together."""
        return reduce(add, self.counts.values())

    def reference(self, label: str, rows: Mapping[int, int]) -> Counts | None:
        """Return the reference counts of a slice for a window with `rows` rows in each part of the season.

        None where the profile has no rows of the slice in one of these parts.
        """
        parts = {part: self.counts.get((label, part)) for part, some in rows.items() if some}
        known = {part: counts for part, counts in parts.items() if counts is not None}
        return mixture(known, rows) if known and len(known) == len(parts) else None

    def bound(self, column: str) -> float:
        """Return the largest possible difference between the raw samples' distance in a column and its lower bound.

        0 for a column without a value. Raises ValueError for one that the profile does not have.
        """
        counts = self.whole.column(self.features.names.index(column))
        if not counts.n:
            return 0.0
        if isinstance(counts, CategoryCounts):
            return float(counts.shares[-1])
        return float(counts.shares[~counts.bins.single].max(initial=0))


def mixture(parts: Mapping[int, Counts], rows: Mapping[int, int]) -> Counts:
    """Return the counts of several parts of a season, mixed in the proportions of `rows`; each part must have rows.

    The mixture has as many rows as the part with the fewest, which makes margins larger, never too small.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    fewest = min(counts.rows for counts in parts.values())
    total = sum(rows[part] for part in parts)
    cells = sum(counts.cells * (fewest / counts.rows * rows[part] / total) for part, counts in parts.items())
    ends = [np.array([getattr(counts, end) for counts in parts.values()]) for end in ("least", "most")]
    return Counts(next(iter(parts.values())).features, np.asarray(cells), ends[0].min(axis=0), ends[1].max(axis=0))


def write_profile(profile: Profile, file: Path) -> None:
    """Write a profile as Parquet, with one row for each column. Raises OSError."""
    rows = [_row(profile, index) for index in range(len(profile.features.names))]
    keys = profile.keys
    known = {
        "profile": _VERSION,
        "model": profile.model,
        "version": profile.version,
        "inexact": json.dumps(profile.inexact),
        "absent": json.dumps(
            None if profile.absent is None else [[*key, seen] for key, seen in profile.absent.items()]
        ),
        "keys": json.dumps([*profile.counts]),
        "divided": json.dumps([keys.slice_column, keys.slices.names, keys.time, keys.season, keys.window]),
    }
    metadata = {f"millstream.{name}": value for name, value in known.items()}
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA.with_metadata(metadata)), file, compression="zstd")


def _row(profile: Profile, index: int) -> dict[str, Any]:
    features = profile.features
    column = features.columns[index]
    start, end = features.starts[index : index + 2]
    row = {
        "column": features.names[index],
        "counts": [counts.cells[start:end].tolist() for counts in profile.counts.values()],
        "least": [float(counts.least[index]) for counts in profile.counts.values()],
        "most": [float(counts.most[index]) for counts in profile.counts.values()],
    }
    for name, of_windows in (("distances", profile.distances), ("sizes", profile.sizes)):
        row[name] = [
            [*of_windows.get((label, features.names[index], level), ())]
            for label in profile.keys.labels
            for level in range(LEVELS)
        ]
    if isinstance(column, Categories):
        return row | {"categories": list(column.names)}
    if column.atoms is not None:
        row |= {"dtype": column.atoms.dtype.name, "atoms": [repr(value) for value in column.atoms.tolist()]}
    return row | {"edges": column.edges.tolist(), "center": float(column.center)}


def read_profile(file: Path, model: str, version: str | None = None) -> Profile:
    """Read the profile of a model; `version` is the model's, None for any.

    Raises ProfileError for a file that is missing or not a profile, of another version of the format, or of another
    model or version.
    """
    try:
        with pq.ParquetFile(file) as parquet:  # `read_table` would import pandas, which takes two seconds
            table = parquet.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{file} cannot be read: {error}") from error
    known = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    for what, expected in (("profile", _VERSION), ("model", model), ("version", version)):
        if (found := known.get(f"millstream.{what}")) != expected and expected is not None:
            raise ProfileError(f"{file} is not the expected profile: its {what} is {found}, expected {expected}")
    rows = table.to_pylist()
    features = Features(tuple(row["column"] for row in rows), tuple(_column(row) for row in rows))
    slice_column, slices, *others = json.loads(known["millstream.divided"])
    keys = Keys(slice_column, Categories(tuple(slices)), *others)
    counts = {}
    for number, (label, part) in enumerate(json.loads(known["millstream.keys"])):
        cells = np.concatenate([np.array(row["counts"][number], np.int64) for row in rows])
        least, most = (np.array([row[end][number] for row in rows], np.float32) for end in ("least", "most"))
        counts[label, part] = Counts(features, cells, least, most)
    places = [(label, level) for label in keys.labels for level in range(LEVELS)]
    distances, sizes = (
        {
            (label, row["column"], level): tuple(found)
            for row in rows
            for (label, level), found in zip(places, row.get(name) or [], strict=bool(row.get(name)))
        }
        for name in ("distances", "sizes")
    )
    inexact = tuple(json.loads(known["millstream.inexact"]))
    seen = json.loads(known.get("millstream.absent", "null"))
    absent = None if seen is None else {(label, level): tuple(windows) for label, level, windows in seen}
    return Profile(model, known["millstream.version"], features, keys, counts, distances, sizes, inexact, absent)


def _column(row: dict[str, Any]) -> Bins | Categories:
    if row["edges"] is None:
        complete = not any(counts[-2] for counts in row["counts"])
        return Categories(tuple(row["categories"]), complete)
    atoms = None
    if row.get("dtype"):
        kind = float if np.dtype(row["dtype"]).kind == "f" else int
        atoms = np.array([kind(text) for text in row["atoms"]], row["dtype"])
    return Bins(np.array(row["edges"], np.float32), np.float32(row["center"]), atoms)
