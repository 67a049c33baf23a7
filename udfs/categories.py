"""How often each category of a text column was seen: the known ones one by one, the rest together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["MOST", "Categories", "CategoryCounts", "choose_categories", "count_categories"]

MOST = 255
"""How many categories are counted one by one, the most frequent ones of the reference."""


@dataclass(frozen=True)
class Categories:
    """The categories that are counted one by one, without double ones; all others are the rest."""

    names: tuple[str, ...]

    @cached_property
    def _table(self) -> pa.Array:
        return pa.array(self.names, pa.string())


@dataclass(frozen=True, eq=False)
class CategoryCounts(Shares):
    """Counts of a sample, int64 of shape (names + 1,), the last one the rest; and how many values were NULL."""

    categories: Categories
    counts: NDArray[np.int64]
    nulls: int

    def __add__(self, other: CategoryCounts) -> CategoryCounts:
        """Return the counts of both samples together. Raises ValueError for other categories."""
        if self.categories != other.categories:
            raise ValueError("counts of different categories cannot be added")
        return CategoryCounts(self.categories, self.counts + other.counts, self.nulls + other.nulls)


def count_categories(categories: Categories, values: NDArray[np.object_]) -> CategoryCounts:
    """Count values of shape (n,), str or None."""
    column = pa.array(values, pa.string())
    found = pc.index_in(column.drop_null(), categories._table).fill_null(len(categories.names))  # noqa: SLF001 - its own module
    counts = np.bincount(found.to_numpy(zero_copy_only=False), minlength=len(categories.names) + 1)
    return CategoryCounts(categories, counts, column.null_count)


def choose_categories(chunks: Iterable[NDArray[np.object_]], most: int = MOST) -> Categories:
    """Return the most frequent categories of a column, given as arrays of shape (n,), str or None; ties by name.

    Memory grows with the number of different values. Raises ValueError for a column without a value.
    """
    seen: dict[str, int] = {}
    for chunk in chunks:
        counted: list[dict[str, Any]] = pa.array(chunk, pa.string()).drop_null().value_counts().to_pylist()
        for entry in counted:
            seen[entry["values"]] = seen.get(entry["values"], 0) + entry["counts"]
    if not seen:
        raise ValueError("a column without a value has no distribution")
    return Categories(tuple(sorted(seen, key=lambda name: (-seen[name], name))[:most]))
