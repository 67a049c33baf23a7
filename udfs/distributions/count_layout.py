"""Which columns are counted together, and where each one's counts stand in one array."""

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

    Their counts follow each other in one array: those of a column's cells, then its NULLs.
    """

    names: tuple[str, ...]
    columns: tuple[Bins | Categories, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each column's counts begin; at the end, how many there are."""
        return tuple(accumulate((column.size + 1 for column in self.columns), initial=0))

    @property
    def size(self) -> int:
        """How many counts there are."""
        return self.starts[-1]

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are the same for the same names, bins and categories alone."""
        whole = b"".join(
            sha256(name.encode()).digest() + column.digest
            for name, column in zip(self.names, self.columns, strict=True)
        )
        return sha256(whole).digest()[:8]

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Which columns are of numbers."""
        return tuple(index for index, column in enumerate(self.columns) if isinstance(column, Bins))

    @cached_property
    def bins(self) -> PaddedBins:
        """The bins of the columns of numbers, side by side. Raises ValueError where there is none."""
        return PaddedBins(tuple(column for column in self.columns if isinstance(column, Bins)))

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """Where the counts of each of those bins stand, shape (columns, bins); `size` where there is none."""
        starts = np.array([[self.starts[index]] for index in self.numbers])
        return np.where(self.bins.there, starts + np.arange(self.bins.size), self.size)

    def select(self, names: tuple[str, ...]) -> Features:
        """Return some of the columns, in the order given. Raises KeyError for one that is not there."""
        columns = dict(zip(self.names, self.columns, strict=True))
        return Features(names, tuple(columns[name] for name in names))

    def groups(self, size: int) -> list[Features]:
        """Return the columns in groups of at most `size`, in order."""
        return [self.select(self.names[start : start + size]) for start in range(0, len(self.names), size)]
