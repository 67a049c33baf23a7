"""Counts of several columns by bin and category: all that is kept of a sample of rows.

Counts add, so a window's counts are those of its batches, in any order.

>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.count_layout import Features
>>> features = Features(("delay",), (Bins(np.array([0, 15], np.float32)),))
>>> first, second = (count(features, [np.array(x, np.float32)]) for x in ([-3, 20], [np.nan, 5]))
>>> (first + second).cells.tolist(), (first + second).rows
([1, 1, 1, 1], 4)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.bins import as_float32
from udfs.distributions.categories import Categories, CategoryCounts, some
from udfs.distributions.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from udfs.distributions.count_layout import Features

__all__ = ["Counts", "count", "count_groups", "empty"]

_LEAST, _MOST = np.float32(np.inf), np.float32(-np.inf)  # of no value


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of a sample's rows.

    `cells`, int64 of shape (features.size,), are in the order of Features; float64 for a mixture of samples. `least`
    and `most`, float32 of shape (columns,), are the ends of each column's values; +inf and -inf for a column of text or
    without a value. `new` has, by the position of a column of text, categories that the reference does not have.
    `parts` has the rows in each part of a season; nothing where a sample is not divided.
    """

    features: Features
    cells: NDArray[np.int64] | NDArray[np.float64]
    least: NDArray[np.float32]
    most: NDArray[np.float32]
    new: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    parts: Mapping[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return int(self.cells[: self.features.starts[1]].sum())

    def __add__(self, other: Counts) -> Counts:
        """Return the counts of both samples together. Raises ValueError for other features."""
        if self.features.digest != other.features.digest:
            raise ValueError("counts of different features cannot be added")
        ends = np.minimum(self.least, other.least), np.maximum(self.most, other.most)
        new = {
            index: some(Counter(self.new.get(index, {})) + Counter(other.new.get(index, {})))
            for index in sorted({*self.new, *other.new})
        }
        parts = {part: self.parts.get(part, 0) + other.parts.get(part, 0) for part in {*self.parts, *other.parts}}
        return Counts(self.features, self.cells + other.cells, *ends, new, parts)

    def without(self, part: Counts) -> Counts:
        """Return the counts less those of some of the rows; the ends remain."""
        return Counts(self.features, self.cells - part.cells, self.least, self.most)

    def column(self, index: int) -> Histogram | CategoryCounts:
        """Return the counts of one column, by its position."""
        column = self.features.columns[index]
        start, end = self.features.starts[index : index + 2]
        cells, nulls = self.cells[start : end - 1], int(self.cells[end - 1])
        if isinstance(column, Categories):
            return CategoryCounts(column, cells, nulls, self.new.get(index, {}))
        return Histogram(column, cells, nulls, self.least[index], self.most[index])

    @cached_property
    def numbers(self) -> Histogram:
        """The counts of all numeric columns at once, in order. Raises ValueError where there is none."""
        features = self.features
        at, nulls = [*features.numbers], [features.starts[index + 1] - 1 for index in features.numbers]
        cells = np.append(self.cells, 0)[features.cells]
        return Histogram(features.bins, cells, self.cells[nulls].astype(np.int64), self.least[at], self.most[at])

    def select(self, features: Features) -> Counts:
        """Return the counts of some of the columns. Raises ValueError for a column that is not among them."""
        at = [self.features.names.index(name) for name in features.names]
        starts = self.features.starts
        cells = np.concatenate([self.cells[starts[i] : starts[i + 1]] for i in at])
        new = {place: self.new[index] for place, index in enumerate(at) if index in self.new}
        return Counts(features, cells, self.least[at], self.most[at], new, self.parts)


def empty(features: Features) -> Counts:
    """Return the counts of no rows."""
    least, most = (np.full(len(features.names), end, np.float32) for end in (_LEAST, _MOST))
    return Counts(features, np.zeros(features.size, np.int64), least, most)


def count(features: Features, values: Sequence[NDArray[Any]]) -> Counts:
    """Return the counts of n rows, given as an array of shape (n,) for each column, in order.

    An array is float32 and contiguous, with NaN for NULL, for a numeric column, or as `Bins.count` expects it; str or
    None for a column of text.
    Raises ValueError for another number of columns.
    """
    counts = empty(features)
    new = {}
    for index, (column, given) in enumerate(zip(features.columns, values, strict=True)):
        start, end = features.starts[index : index + 2]
        counts.cells[start:end] = column.count(given)
        if isinstance(column, Categories):
            if counts.cells[end - 2] and (names := column.new(given)):
                new[index] = names
        elif counts.cells[end - 1] < len(given):
            numbers = as_float32(given)
            counts.least[index], counts.most[index] = np.fmin.reduce(numbers), np.fmax.reduce(numbers)
    return replace(counts, new=new)


def count_groups(
    features: Features, values: Sequence[NDArray[Any]], group: NDArray[np.intp], groups: int
) -> list[Counts]:
    """Return the counts of each of `groups` groups of n rows; `group`, of shape (n,), has the group of each row.

    Each group must have a row. `values` are as for `count`. Raises ValueError for another number of columns.
    """
    if groups == 1:
        return [count(features, values)]
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], np.arange(groups))
    cells = np.empty((groups, features.size), np.int64)
    least, most = np.full((2, groups, len(features.names)), _LEAST)
    most[:] = _MOST
    new: list[dict[int, dict[str, int]]] = [{} for _ in range(groups)]
    for index, (column, given) in enumerate(zip(features.columns, values, strict=True)):
        start, end = features.starts[index : index + 2]
        width = column.size + 1
        at = column.find(given)
        cells[:, start:end] = np.bincount(at + group * width, minlength=groups * width).reshape(groups, width)
        if isinstance(column, Categories):
            other = at == column.size - 1
            for number in np.unique(group[other]) if column.complete else ():
                new[number][index] = column.new(given[other & (group == number)])
        else:
            ordered = as_float32(given)[order]
            least[:, index] = _but_nan(np.fmin.reduceat(ordered, first), _LEAST)
            most[:, index] = _but_nan(np.fmax.reduceat(ordered, first), _MOST)
    return [Counts(features, *parts) for parts in zip(cells, least, most, new, strict=True)]


def _but_nan(ends: NDArray[np.float32], instead: np.float32) -> NDArray[np.float32]:
    return np.where(np.isnan(ends), instead, ends)
