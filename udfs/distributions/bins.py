"""Bins of a numeric column, and a table that finds the bin of a float32 in constant time.

>>> bins = Bins(np.array([0, 10], np.float32))
>>> bins.count(np.array([-1, 0, 5, 10, np.inf, np.nan], np.float32)).tolist()
[1, 2, 2, 1]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.nulls import unmasked

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELLS", "Bins", "above", "as_float32", "below", "cells_of", "ends_of"]

CELLS = 1 << 16
"""A cell is the set of float32 numbers with the same upper 16 bits."""

_ZERO = np.float32(0)
_UPPER = 1 if sys.byteorder == "little" else 0


@dataclass(frozen=True, eq=False)
class Bins:
    """Adjacent intervals that together have all float32 numbers, -inf and +inf included.

    `edges`, float32 of shape (bins - 1,), ascend strictly: bin j has the x with edges[j-1] <= x - center < edges[j].
    Zero and minus zero are one number. NaN is in no bin.

    float32 cannot tell all float64 apart, nor integers beyond 2^24. Bins of such a column have `atoms`: the values, in
    the column's own dtype and ascending, that have a bin to themselves. What float32 rounds into such a bin, but is
    another number, is counted in the next bin on its side, so each bin is an interval of the column's own values.
    """

    edges: NDArray[np.float32]
    center: np.float32 = _ZERO
    atoms: NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1

    @cached_property
    def positions(self) -> NDArray[np.float64]:
        """The edges in the column's own unit, float64 of shape (bins - 1,)."""
        return self.edges.astype(np.float64) + float(self.center)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which bins are not padding: all, shape (bins,). See `PaddedBins`."""
        return np.ones(self.size, bool)

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that are equal only for equal bins."""
        own = b"" if self.atoms is None else f"{self.atoms.dtype}{self.atoms.tolist()}".encode()
        return sha256(np.append(self.edges, self.center).astype("<f4").tobytes() + own).digest()[:8]

    @cached_property
    def single(self) -> NDArray[np.bool_]:
        """Which bins have a single value, shape (bins,): no other is between their edges, or rounded into them."""
        if self.atoms is not None:
            return np.isin(np.arange(self.size), self._bins_of_atoms)
        here = self.edges
        value = here + self.center
        lone = (above(here) == np.append(self.edges[1:], np.inf)) & (self.centered(value) == here)
        lone[-1:] &= here[-1:] == np.inf  # the last bin goes on to infinity
        for neighbour in (above(value), below(value)) if self.center else ():
            lone &= (self.centered(neighbour) != here) | (neighbour == value)
        return np.concatenate(([False], lone))

    def __reduce__(self) -> tuple[type[Bins], tuple[NDArray[np.float32], np.float32, NDArray[Any] | None]]:
        return Bins, (self.edges, self.center, self.atoms)  # not the table, which takes half a megabyte

    @property
    def needs_own_dtype(self) -> bool:
        """Whether values must be given in the column's own dtype, not as float32."""
        return self.atoms is not None and len(self.atoms) > 0

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Count values, of shape (n,) and contiguous: int64 of shape (bins + 1,), the last one for NaN.

        They are float32, or of the atoms' dtype, masked for NULL if that has no NaN.
        """
        if self.needs_own_dtype and values.dtype != np.float32:
            return np.bincount(self.find(values), minlength=self.size + 1)
        centered = self.centered(as_float32(values))
        found = self._look_up(centered)
        counts = np.bincount(found, minlength=self.size + 2)
        if counts[-1]:  # known from the counts, so that columns without such values need no pass of their own
            cut = centered[found == self.size + 1]
            counts[:-1] += np.bincount(self._search(cut), minlength=self.size + 1)
        return counts[:-1]

    def find(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return the bin of each value, as for `count`; `size` for NaN. Shape (n,)."""
        centered = self.centered(as_float32(values))
        found = self._look_up(centered)
        cut = np.flatnonzero(found > self.size)
        if len(cut):
            found[cut] = self._search(centered[cut])
        if self.needs_own_dtype and values.dtype != np.float32:
            own, (least, most) = unmasked(values), self._limits
            beyond, before = own > most.take(found), own < least.take(found)
            found += beyond
            found -= before
        return found

    @cached_property
    def _bins_of_atoms(self) -> NDArray[np.intp]:
        return Bins(self.edges, self.center).find(as_float32(np.asarray(self.atoms)))

    @cached_property
    def _limits(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The least and the greatest value that stays in each bin, shape (bins + 1,): the atom, or any."""
        atoms = np.asarray(self.atoms)
        limits = [np.full(self.size + 1, end, atoms.dtype) for end in ends_of(atoms.dtype)]
        for ends in limits:
            ends[self._bins_of_atoms] = atoms
        return limits[0], limits[1]

    def _look_up(self, centered: NDArray[np.float32]) -> NDArray[np.intp]:
        """Return what `find` returns, but `size + 1` for the values of cells that are cut in several places."""
        cells = cells_of(centered)
        found = self._table.take(cells, mode="clip")  # faster than checking indices that cannot be wrong
        if self._some_around_one:
            one = self._ones.take(cells, mode="clip")
            found += centered >= one
            found += centered > one
        return found

    def centered(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values less `center`, of the same shape. Cells are finest around zero, so columns are moved there.

        Rounding may make neighbours equal, but never changes their order: intervals remain intervals.
        """
        if not self.center:
            return values
        with np.errstate(over="ignore"):
            return values - self.center

    @cached_property
    def cut(self) -> NDArray[np.bool_]:
        """Which cells are cut by several edges, shape (CELLS,): their values need a binary search, which is slow."""
        cut: NDArray[np.bool_] = self._table == self.size + 1
        return cut

    @cached_property
    def _table(self) -> NDArray[np.intp]:
        """The bin of each cell; `size` for NaN, `size + 1` for a cut cell.

        For a cell that is cut around a single value, it is the bin below that value.
        """
        first = np.arange(CELLS, dtype=np.uint32) << 16
        ends = [self._search(bits.view(np.float32)) for bits in (first, first | 0xFFFF)]
        table = np.where(ends[0] == ends[1], ends[0], self.size + 1)
        return np.where(self._around_one, self._search(below(self._ones)), table)

    @cached_property
    def _around_one(self) -> NDArray[np.bool_]:
        """Which cells have edges around a single value only, shape (CELLS,)."""
        return ~np.isnan(self._ones)

    @cached_property
    def _some_around_one(self) -> bool:
        return bool(self._around_one.any())

    @cached_property
    def _ones(self) -> NDArray[np.float32]:
        """That value for each such cell, NaN for the others. Zero is in two cells: minus zero is in another one."""
        edges = np.concatenate((self.edges, -self.edges[self.edges == 0]))
        per_cell = np.bincount(cells_of(edges), minlength=CELLS)
        values = self.edges[:-1][above(self.edges[:-1]) == self.edges[1:]]
        values = values[values > -np.inf]  # nothing is below that
        values = np.concatenate((values, -values[values == 0]))
        cells = cells_of(values)
        alone = per_cell[cells] == 1 + (cells_of(above(values)) == cells)
        ones = np.full(CELLS, np.nan, np.float32)
        ones[cells[alone]] = values[alone]
        return ones

    def _search(self, centered: NDArray[np.float32]) -> NDArray[np.intp]:
        found = np.searchsorted(self.edges, centered, side="right")
        found[np.isnan(centered)] = self.size
        return found


def as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers of shape (n,) as the nearest float32, contiguous, with NaN for what is masked.

    Rounding may make neighbours equal, but never changes their order. What is too large becomes infinite.
    """
    with np.errstate(over="ignore", under="ignore"):
        numbers = np.ascontiguousarray(unmasked(values), np.float32)
    return np.where(values.mask, np.float32(np.nan), numbers) if isinstance(values, np.ma.MaskedArray) else numbers


def ends_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and the greatest number of a dtype."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def cells_of(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return the cell of each value, of shape (n,) and contiguous."""
    return values.view(np.uint16)[_UPPER::2]


def above(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the next float32 above each value."""
    with np.errstate(over="ignore", under="ignore"):
        return np.nextafter(values, np.float32(np.inf))


def below(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the next float32 below each value."""
    with np.errstate(over="ignore", under="ignore"):
        return np.nextafter(values, np.float32(-np.inf))
