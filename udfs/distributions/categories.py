"""How often each category of a text column occurs: the known ones one by one, all others together as the rest.

>>> categories = Categories(("JFK", "LGA"))
>>> count_categories(categories, np.array(["LGA", "EWR", None, "LGA"], object)).counts.tolist()
[0, 2, 1]
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.distributions.shares import NoValueError, Shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["MOST", "NEW", "Categories", "CategoryCounts", "choose_categories", "count_categories", "some"]

NEW = 32
"""How many new categories are kept by name."""

MOST = 255
"""How many categories are counted one by one: the most frequent ones of the reference."""


@dataclass(frozen=True)
class Categories:
    """The categories that are counted one by one, each once; all others are the rest.

    `complete` is True where they are all that the reference has: then others are new, and are kept by name.
    """

    names: tuple[str, ...]
    complete: bool = field(default=False, compare=False)

    @property
    def size(self) -> int:
        """How many counts there are: the categories and the rest."""
        return len(self.names) + 1

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are equal only for equal categories."""
        return sha256(json.dumps(self.names).encode()).digest()[:8]

    def find(self, values: NDArray[np.object_]) -> NDArray[np.intp]:
        """Return the category of each value, str or None of shape (n,): `size - 1` for the rest, `size` for None."""
        column = pa.array(values, pa.string())
        known = pc.index_in(column, self._table).fill_null(self.size - 1)
        found: NDArray[np.intp] = known.to_numpy(zero_copy_only=False).astype(np.intp)
        if column.null_count:
            found[column.is_null().to_numpy(zero_copy_only=False)] = self.size
        return found

    def count(self, values: NDArray[np.object_]) -> NDArray[np.int64]:
        """Count values, str or None of shape (n,): int64 of shape (size + 1,), the last one for None."""
        return np.bincount(self.find(values), minlength=self.size + 1)

    def new(self, values: NDArray[np.object_]) -> dict[str, int]:
        """Count the values, str or None of shape (n,), that no reference row has; nothing where these are not known."""
        if not self.complete:
            return {}
        column = pa.array(values, pa.string()).drop_null()
        other = column.filter(pc.invert(pc.is_in(column, self._table)))
        return some({entry["values"]: entry["counts"] for entry in other.value_counts().to_pylist()})

    @cached_property
    def _table(self) -> pa.Array:
        return pa.array(self.names, pa.string())


def some(names: Mapping[str, int]) -> dict[str, int]:
    """Return at most NEW of the names, with their counts, by name.

    Which ones is decided by their checksums: so what is kept of several samples is the same in whatever order they are
    added, and each count is complete.
    """
    kept = sorted(names, key=lambda name: (crc32(name.encode()), name))[:NEW]
    return {name: names[name] for name in sorted(kept)}


@dataclass(frozen=True, eq=False)
class CategoryCounts(Shares):
    """Counts of a sample, int64 of shape (names + 1,), the last one for the rest; and how many values were NULL.

    `new` has names of the rest that the reference does not have, with their counts; see `some`.
    """

    categories: Categories
    counts: NDArray[np.int64] | NDArray[np.float64]
    nulls: int
    new: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: CategoryCounts) -> CategoryCounts:
        """Return the counts of both samples together. Raises ValueError for other categories."""
        if self.categories != other.categories:
            raise ValueError("counts of different categories cannot be added")
        return CategoryCounts(self.categories, self.counts + other.counts, self.nulls + other.nulls)


def count_categories(categories: Categories, values: NDArray[np.object_]) -> CategoryCounts:
    """Return the counts of values of shape (n,), str or None."""
    counts = categories.count(values)
    return CategoryCounts(categories, counts[:-1], int(counts[-1]))


def choose_categories(chunks: Iterable[NDArray[np.object_]], most: int = MOST) -> Categories:
    """Return the `most` most frequent categories of a column, given as arrays of shape (n,), str or None; ties by name.

    The memory grows with the number of different values. Raises NoValueError for a column without a value.
    """
    seen: dict[str, int] = {}
    for chunk in chunks:
        counted: list[dict[str, Any]] = pa.array(chunk, pa.string()).drop_null().value_counts().to_pylist()
        for entry in counted:
            seen[entry["values"]] = seen.get(entry["values"], 0) + entry["counts"]
    if not seen:
        raise NoValueError("column")
    return Categories(tuple(sorted(seen, key=lambda name: (-seen[name], name))[:most]), complete=len(seen) <= most)
