"""Which columns are counted together, and where the counts of each column are in one array.

>>> from udfs.distributions.categories import Categories
>>> features = Features(("delay", "origin"), (Bins(np.array([0, 15], np.float32)), Categories(("JFK",))))
>>> features.starts
(0, 4, 7)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.bins import Bins
from udfs.distributions.padded_bins import PaddedBins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.categories import Categories

__all__ = ["Features"]


@dataclass(frozen=True, eq=False)
class Features:
    """Columns by name, each with its Bins or its Categories.

    One array has the counts of all columns, one column after the other: of its bins or categories, then of its NULLs.
    """

    names: tuple[str, ...]
    columns: tuple[Bins | Categories, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each column's counts begin; the last element is the number of all counts."""
        return tuple(accumulate((column.size + 1 for column in self.columns), initial=0))

    @property
    def size(self) -> int:
        """How many counts there are: the length of the array."""
        return self.starts[-1]

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are equal only for equal names, bins and categories."""
        whole = b"".join(
            sha256(name.encode()).digest() + column.digest
            for name, column in zip(self.names, self.columns, strict=True)
        )
        return sha256(whole).digest()[:8]

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Which columns are numeric, by their position."""
        return tuple(index for index, column in enumerate(self.columns) if isinstance(column, Bins))

    @cached_property
    def bins(self) -> PaddedBins:
        """The bins of the numeric columns. Raises ValueError where there is none."""
        return PaddedBins(tuple(column for column in self.columns if isinstance(column, Bins)))

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """Where the count of each of those bins is, shape (columns, bins); `size` for padding."""
        starts = np.array([[self.starts[index]] for index in self.numbers])
        return np.where(self.bins.present, starts + np.arange(self.bins.size), self.size)

    def select(self, names: tuple[str, ...]) -> Features:
        """Return some of the columns, in the given order. Raises KeyError for a name that is not among them."""
        columns = dict(zip(self.names, self.columns, strict=True))
        return Features(names, tuple(columns[name] for name in names))

    def groups(self, size: int) -> list[Features]:
        """Return the columns in groups of at most `size`, in order."""
        return [self.select(self.names[start : start + size]) for start in range(0, len(self.names), size)]
