"""The reference profile of a model: how its inputs and outputs were distributed when it was trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.bins import Bins
from udfs.categories import Categories, CategoryCounts, choose_categories, count_categories
from udfs.choose_bins import choose_bins
from udfs.histogram import Histogram, histogram

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Profile", "ProfileError", "build_profile", "read_profile", "write_profile"]

_VERSION = "1"
_SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("counts", pa.list_(pa.int64())),  # of each bin, or of each category and the rest
        ("nulls", pa.int64()),
        ("edges", pa.list_(pa.float32())),  # NULL for categories
        ("center", pa.float32()),
        ("least", pa.float32()),
        ("most", pa.float32()),
        ("categories", pa.list_(pa.string())),  # NULL for numbers
    ]
)
_EXACT = 1 << 24  # up to here float32 has every integer


class ProfileError(ValueError):
    """A profile that cannot be built or read; the text says why."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Each column's counts, by name: a Histogram for numbers, CategoryCounts for text.

    `inexact` names the columns of integers beyond 2^24, which are compared as the float32 nearest to them.
    """

    model: str
    version: str
    columns: dict[str, Histogram | CategoryCounts]
    inexact: tuple[str, ...] = ()

    def bound(self, column: str) -> float:
        """Return by how much a column's distance, as measured, can at most fall short of the raw samples' distance."""
        counts = self.columns[column]
        if isinstance(counts, CategoryCounts):
            return float(counts.shares[-1])
        return float(counts.shares[~counts.bins.single].max(initial=0))


def build_profile(model: str, version: str, file: Path) -> Profile:
    """Return the profile of all columns of a Parquet file, column by column and row group by row group.

    Raises ProfileError for a file that cannot be read, and for a column of neither numbers nor text or without a value.
    """
    try:
        parquet = pq.ParquetFile(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{file} cannot be read as Parquet: {error}") from error
    columns = {field.name: _column(parquet, field) for field in parquet.schema_arrow}
    inexact = [f.name for f in parquet.schema_arrow if pa.types.is_integer(f.type) and _inexact(columns[f.name])]
    return Profile(model, version, columns, tuple(inexact))


def _column(parquet: pq.ParquetFile, field: pa.Field) -> Histogram | CategoryCounts:
    try:
        if _is_number(field.type):
            chunks = partial(_numbers, parquet, field.name)
            bins = choose_bins(chunks)
            return reduce(add, (histogram(bins, chunk) for chunk in chunks()))
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            names = choose_categories(_texts(parquet, field.name))
            return reduce(add, (count_categories(names, chunk) for chunk in _texts(parquet, field.name)))
    except ValueError as error:
        raise ProfileError(f"column `{field.name}`: {error}") from error
    raise ProfileError(f"column `{field.name}` is {field.type}, expected numbers or text")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _numbers(parquet: pq.ParquetFile, name: str) -> Iterator[NDArray[np.float32]]:
    for batch in parquet.iter_batches(columns=[name]):
        column = batch.column(0).cast(pa.float32(), safe=False)
        yield np.ascontiguousarray(column.to_numpy(zero_copy_only=False), np.float32)


def _texts(parquet: pq.ParquetFile, name: str) -> Iterator[NDArray[np.object_]]:
    for batch in parquet.iter_batches(columns=[name]):
        yield batch.column(0).to_numpy(zero_copy_only=False)


def _inexact(counts: Histogram | CategoryCounts) -> bool:
    return isinstance(counts, Histogram) and bool(max(-counts.least, counts.most) > _EXACT)


def write_profile(profile: Profile, file: Path) -> None:
    """Write a profile as Parquet, one row a column."""
    rows = [_row(name, counts) for name, counts in profile.columns.items()]
    known = {
        "millstream.profile": _VERSION,
        "millstream.model": profile.model,
        "millstream.version": profile.version,
        "millstream.inexact": json.dumps(profile.inexact),
    }
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA.with_metadata(known)), file)


def _row(name: str, counts: Histogram | CategoryCounts) -> dict[str, Any]:
    row = {"column": name, "counts": counts.counts.tolist(), "nulls": counts.nulls}
    if isinstance(counts, CategoryCounts):
        return row | {"categories": list(counts.categories.names)}
    ends = {"least": float(counts.least), "most": float(counts.most)}
    return row | ends | {"edges": counts.bins.edges.tolist(), "center": float(counts.bins.center)}


def read_profile(file: Path, model: str, version: str) -> Profile:
    """Read the profile of a model.

    Raises ProfileError for a file that is missing or no profile, of another version of the format, or of another model.
    """
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{file} cannot be read: {error}") from error
    known = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    for what, expected in (("profile", _VERSION), ("model", model), ("version", version)):
        if (found := known.get(f"millstream.{what}")) != expected:
            raise ProfileError(
                f"{file} is not the profile of {model} {version}: its {what} is {found}, expected {expected}"
            )
    columns = {row["column"]: _counts(row) for row in table.to_pylist()}
    return Profile(model, version, columns, tuple(json.loads(known["millstream.inexact"])))


def _counts(row: dict[str, Any]) -> Histogram | CategoryCounts:
    counts = np.array(row["counts"], np.int64)
    if row["edges"] is None:
        return CategoryCounts(Categories(tuple(row["categories"])), counts, row["nulls"])
    bins = Bins(np.array(row["edges"], np.float32), np.float32(row["center"]))
    return Histogram(bins, counts, row["nulls"], np.float32(row["least"]), np.float32(row["most"]))
