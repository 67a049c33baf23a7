"""The bins of several columns in one array, so that all columns are compared at once.

>>> from udfs.distributions.bins import Bins
>>> columns = Bins(np.array([0], np.float32)), Bins(np.array([1, 2], np.float32))
>>> PaddedBins(columns).present.tolist()
[[True, True, False], [True, True, True]]
"""

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
    """The bins of columns, each padded with empty bins to the width of the widest.

    Raises ValueError for no column.
    """

    columns: tuple[Bins, ...]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("no column has bins")

    @cached_property
    def size(self) -> int:
        """How many bins the widest column has."""
        return max(column.size for column in self.columns)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which bins are a column's own, not padding: shape (columns, bins)."""
        return np.arange(self.size) < np.array([[column.size] for column in self.columns])

    @cached_property
    def positions(self) -> NDArray[np.float64]:
        """The edges in the columns' own units, shape (columns, bins - 1); +inf for padding."""
        return self._filled([column.positions for column in self.columns], self.size - 1, np.inf)

    @cached_property
    def single(self) -> NDArray[np.bool_]:
        """Which bins have a single float32 or are padding: shape (columns, bins)."""
        return self._filled([column.single for column in self.columns], self.size, 1.0).astype(bool)

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are equal only for equal bins of equal columns."""
        return sha256(b"".join(column.digest for column in self.columns)).digest()[:8]

    @staticmethod
    def _filled(
        rows: list[NDArray[np.float64]] | list[NDArray[np.bool_]], width: int, by: float
    ) -> NDArray[np.float64]:
        filled = np.full((len(rows), width), by)
        for row, values in zip(filled, rows, strict=True):
            row[: len(values)] = values
        return filled
