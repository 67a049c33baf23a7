"""Build a reference profile from Parquet, in memory that does not grow with the rows."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.distributions.bins import Bins, as_float32
from udfs.distributions.categories import Categories, choose_categories
from udfs.distributions.choose_bins import choose_atoms, choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import count_groups
from udfs.distributions.shares import NoValueError
from udfs.drift.column_values import labels_of, plain, seconds_of, values_of
from udfs.drift.compare import compare
from udfs.drift.reference import HISTORY, LEVELS, Keys, Profile, ProfileError, mixture
from udfs.drift.season import Season, part_of
from udfs.drift.slice_rows import slice_rows
from udfs.drift.thresholds import LEAST_N

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from udfs.distributions.counts import Counts

__all__ = ["SLICES", "build_profile"]

Distances = dict[tuple[str, str, int], tuple[float, ...]]

SLICES = 20
"""How many values of the slicing column get a slice of their own; all others are the rest."""

_EXACT = 1 << 24  # float32 has every integer up to here


def build_profile(
    model: str,
    version: str,
    file: Path,
    columns: Sequence[str] | None = None,
    *,
    slice_column: str | None = None,
    slices: int = SLICES,
    time: str | None = None,
    season: Season = "none",
    window: int = 0,
) -> Profile:
    """Return the profile of `columns` of a Parquet file; of all columns where None.

    `time` names the event time that a season and windows of `window` seconds need: a timestamp, in UTC where it has no
    zone. `slices` is how many values of `slice_column` get a slice of their own. Bins are chosen from all rows, so that
    all slices and parts of the season are counted in the same bins.
    A column without a value is compared by its share of NULL alone.
    Raises ProfileError for a file that cannot be read, or lacks a column; for a column that is neither numbers nor
    text; and for a `time` that is not a time or has a NULL.
    """
    try:
        parquet = pq.ParquetFile(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{file} cannot be read as Parquet: {error}") from error
    schema = parquet.schema_arrow
    names = tuple(columns or schema.names)
    for name in (*names, *(name for name in (slice_column, time) if name)):
        if name not in schema.names:
            raise ProfileError(f"{file} has no column `{name}`; its columns: {', '.join(schema.names)}")
    features = Features(names, tuple(_choose(parquet, schema.field(name)) for name in names))
    keys = Keys(slice_column, _slices(parquet, slice_column, slices), time, season, window if time else 0)
    counts, windows = _count(parquet, features, keys)
    distances, sizes = _own_distances(counts, windows)
    absent = _absent(counts, windows, keys) if keys.slice_column else None
    profile = Profile(model, version, features, keys, counts, distances, sizes, absent=absent)
    inexact = tuple(
        name for name, column in zip(names, features.columns, strict=True) if _inexact(profile, name, column)
    )
    return replace(profile, inexact=inexact)


def _choose(parquet: pq.ParquetFile, field: pa.Field) -> Bins | Categories:
    try:
        text = plain(pa.array([], field.type)).type == pa.string()
        if text:
            return choose_categories(_chunks(parquet, field.name))
        bins = choose_bins(lambda: map(as_float32, _chunks(parquet, field.name)))
        return replace(bins, atoms=choose_atoms(bins, lambda: _chunks(parquet, field.name)))
    except NoValueError:
        return Categories(()) if text else Bins(np.empty(0, np.float32))
    except (ValueError, pa.ArrowNotImplementedError) as error:
        raise ProfileError(f"column `{field.name}`: {error}") from error


def _slices(parquet: pq.ParquetFile, name: str | None, most: int) -> Categories:
    if name is None:
        return Categories(())
    try:
        return choose_categories((labels_of(batch.column(0)) for batch in parquet.iter_batches(columns=[name])), most)
    except NoValueError:
        return Categories(())
    except ValueError as error:
        raise ProfileError(f"column `{name}`, of the slices: {error}") from error


def _count(
    parquet: pq.ParquetFile, features: Features, keys: Keys
) -> tuple[dict[tuple[str, int], Counts], dict[tuple[str, int, int], Counts]]:
    """Count each slice and part of the season, and of these each of the newest windows, in one pass over the rows."""
    counts: dict[tuple[str, int], Counts] = {}
    windows: dict[tuple[str, int, int], Counts] = {}
    newest = _newest(parquet, keys)
    read = dict.fromkeys((*features.names, *(name for name in (keys.slice_column, keys.time) if name)))
    for batch in parquet.iter_batches(columns=[*read]):
        found, group = np.unique(_rows_keys(batch, keys, newest), axis=0, return_inverse=True)
        values = [values_of(batch.column(name)) for name in features.names]
        for (code, part, window), added in zip(
            found.tolist(), count_groups(features, values, group.reshape(-1), len(found)), strict=True
        ):
            key = keys.labels[code], part
            counts[key] = counts[key] + added if key in counts else added
            if window:
                own = (*key, window)
                windows[own] = windows[own] + added if own in windows else added
    return dict(sorted(counts.items())), dict(sorted(windows.items(), key=lambda item: item[0][2]))


def _newest(parquet: pq.ParquetFile, keys: Keys) -> NDArray[np.int64]:
    """Return the numbers of the newest windows."""
    if not keys.window or keys.time is None:
        return np.empty(0, np.int64)
    found: set[int] = set()
    for batch in parquet.iter_batches(columns=[keys.time]):
        found.update(np.unique(_seconds(batch, keys.time) // keys.window).tolist())
    return np.array(sorted(found)[-HISTORY:], np.int64)


def _rows_keys(batch: pa.RecordBatch, keys: Keys, newest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 of shape (rows, 3): each row's slice, part of the season, and window if it is new, else 0."""
    found = np.zeros((batch.num_rows, 3), np.int64)
    if keys.slice_column:
        found[:, 0] = keys.slices.find(labels_of(batch.column(keys.slice_column)))
    if keys.time:
        seconds = _seconds(batch, keys.time)
        found[:, 1] = part_of(keys.season, seconds)
        if keys.window:
            windows = seconds // keys.window
            found[:, 2] = np.where(np.isin(windows, newest), windows, 0)
    return found


def _seconds(batch: pa.RecordBatch, name: str) -> NDArray[np.int64]:
    try:
        return seconds_of(batch.column(name))
    except ValueError as error:
        raise ProfileError(f"column `{name}` {error}") from error


def _own_distances(
    counts: dict[tuple[str, int], Counts], windows: dict[tuple[str, int, int], Counts]
) -> tuple[Distances, Distances]:
    """Return, by slice, feature and level, the distances of the reference's own windows and sums from the rest.

    Then, in the same order, the sizes of these samples together: see `together`.
    """
    found: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    for level in range(LEVELS):
        for label, parts in (slice_ for block in _blocks(windows, level) for slice_ in block.items()):
            others = {part: counts[label, part].without(own) for part, own in parts.items()}
            if all(other.rows for other in others.values()):
                reference = mixture(others, {part: own.rows for part, own in parts.items()})
                for c in compare(reference, reduce(add, parts.values())):
                    if c.n >= LEAST_N and c.d_lo is not None:
                        found.setdefault((label, c.feature, level), []).append((c.d_lo, c.size))
    distances, sizes = ({key: tuple(pair[i] for pair in pairs) for key, pairs in found.items()} for i in (0, 1))
    return distances, sizes


def _absent(
    counts: dict[tuple[str, int], Counts], windows: dict[tuple[str, int, int], Counts], keys: Keys
) -> dict[tuple[str, int], tuple[float, ...]]:
    """Return, by slice and level, which of the reference's own windows and sums have no row of it."""
    found: dict[tuple[str, int], list[float]] = {}
    for level in range(LEVELS):
        for block in _blocks(windows, level):
            rows = {label: {part: own.rows for part, own in parts.items()} for label, parts in block.items()}
            for s in slice_rows(counts, keys.labels, rows):
                found.setdefault((s.label, level), []).append(s.distance)
    return {key: tuple(seen) for key, seen in found.items()}


def _blocks(windows: dict[tuple[str, int, int], Counts], level: int) -> list[dict[str, dict[int, Counts]]]:
    """Return the complete sums of 2^level windows, by slice and part of the season."""
    numbers = [number for _, _, number in windows]
    blocks: dict[int, dict[str, dict[int, Counts]]] = {}
    for (label, part, number), window in windows.items():
        block = number >> level
        if block << level >= min(numbers) and (block + 1 << level) - 1 <= max(numbers):
            parts = blocks.setdefault(block, {}).setdefault(label, {})
            parts[part] = parts[part] + window if part in parts else window
    return [*blocks.values()]


def _chunks(parquet: pq.ParquetFile, name: str) -> Iterator[NDArray[Any]]:
    for batch in parquet.iter_batches(columns=[name]):
        yield values_of(batch.column(0))


def _inexact(profile: Profile, name: str, column: Bins | Categories) -> bool:
    if not isinstance(column, Bins) or column.atoms is None or column.atoms.dtype.kind == "f":
        return False
    index = profile.features.names.index(name)
    return bool(max(-profile.whole.least[index], profile.whole.most[index]) > _EXACT)
