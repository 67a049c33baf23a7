"""The bins of several columns side by side, so that all are compared at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.bins import Bins

__all__ = ["PaddedBins"]


@dataclass(frozen=True, eq=False)
class PaddedBins:
    """Bins of columns, each filled up to the width of the widest with bins that nothing is in."""

    columns: tuple[Bins, ...]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("no column has bins")

    @cached_property
    def size(self) -> int:
        """The width: how many bins the widest column has."""
        return max(column.size for column in self.columns)

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """Which bins are a column's own, shape (columns, bins)."""
        return np.arange(self.size) < np.array([[column.size] for column in self.columns])

    @cached_property
    def positions(self) -> NDArray[np.float64]:
        """The edges in the columns' own units, shape (columns, bins - 1); +inf for those that fill up."""
        return self._filled([column.positions for column in self.columns], self.size - 1, np.inf)

    @cached_property
    def single(self) -> NDArray[np.bool_]:
        """Which bins nothing can hide in, shape (columns, bins): those of one float32 alone, and those that fill up."""
        return self._filled([column.single for column in self.columns], self.size, 1.0).astype(bool)

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are the same for the same columns' bins alone."""
        return sha256(b"".join(column.digest for column in self.columns)).digest()[:8]

    @staticmethod
    def _filled(
        rows: list[NDArray[np.float64]] | list[NDArray[np.bool_]], width: int, by: float
    ) -> NDArray[np.float64]:
        filled = np.full((len(rows), width), by)
        for row, values in zip(filled, rows, strict=True):
            row[: len(values)] = values
        return filled
