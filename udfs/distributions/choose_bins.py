"""Choose bins of near-equal mass for a column, in two passes over it and bounded memory.

>>> column = np.arange(1000, dtype=np.float32)
>>> bins = choose_bins(lambda: [column], bins=4)
>>> bins.count(column).tolist()
[250, 250, 252, 248, 0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.bins import CELLS, Bins, cells_of, ends_of
from udfs.distributions.shares import NoValueError
from udfs.nulls import unmasked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Chunks = Callable[[], Iterable[NDArray[np.float32]]]

__all__ = ["BINS", "EXACT", "choose_atoms", "choose_bins"]

BINS = 256
"""The wanted number of bins; in addition, a value with more than the mass of a bin gets a bin of its own."""

EXACT = 1 << 24
"""float32 has every integer below this."""

_MANY_CUT = 0.1  # of all values in cut cells: above that, bins around the median are tried

_SIGN = np.uint32(0x8000_0000)
_INFINITY = np.uint32(0xFF80_0000)  # its key


def choose_bins(chunks: Chunks, bins: int = BINS) -> Bins:
    """Return bins that each have at most 2 / `bins` of the column's values, or a single value.

    `chunks` returns the whole column at each call, as float32 arrays of shape (n,), contiguous; NaN is ignored. It is
    called twice, or four times where the values are so close together that bins around their median find them faster.
    Raises NoValueError for a column without a value.
    """
    found, median, cut = _around(np.float32(0), chunks, bins)
    if cut > _MANY_CUT and np.isfinite(median):
        moved, _, still_cut = _around(median, chunks, bins)
        if still_cut < cut / 2:
            return moved
    return found


def choose_atoms(bins: Bins, chunks: Callable[[], Iterable[NDArray[Any]]]) -> NDArray[Any] | None:
    """Return `Bins.atoms` of a column, given as arrays of its own dtype; None where float32 tells all values apart.

    Those are frequent values that are alone in their bins. Of two in neighbouring bins, the first is one: what is
    between them needs a bin as well.
    """
    total = np.zeros(bins.size + 1, np.int64)
    least = most = np.empty(0)
    for chunk in chunks():
        if chunk.dtype == np.float32:
            return None
        if not len(least):
            first, last = ends_of(chunk.dtype)
            least, most = (np.full(bins.size + 1, end, chunk.dtype) for end in (last, first))
        own, found = unmasked(chunk), bins.find(chunk)
        total += np.bincount(found, minlength=bins.size + 1)
        with np.errstate(invalid="ignore"):  # NaN, in a place of its own
            np.minimum.at(least, found, own)
            np.maximum.at(most, found, own)
    there = np.flatnonzero(total[:-1])
    if most.dtype.kind != "f" and most[there].max() < EXACT and least[there].min() > -EXACT:
        return None
    frequent = bins.single[there] | (total[there] > 2 * total[:-1].sum() / BINS)
    # The first and the last bin have no neighbour for what is beyond their value, unless nothing is.
    first, last = ends_of(least.dtype)
    inner = ((there > 0) | (least[there] == first)) & ((there < bins.size - 1) | (most[there] == last))
    atoms: list[int] = []
    for bin_ in there[frequent & inner & (least[there] == most[there])].tolist():
        if not atoms or bin_ > atoms[-1] + 1:
            atoms.append(bin_)
    return least[atoms]


def _around(center: np.float32, chunks: Chunks, bins: int) -> tuple[Bins, np.float32, float]:
    """Return bins, the column's median, and the share of values in cells that an edge cuts."""
    plain = Bins(np.empty(0, np.float32), center)
    per_cell = np.zeros(CELLS, np.int64)
    for chunk in chunks():
        per_cell += np.bincount(cells_of(_numbers(plain, chunk)), minlength=CELLS)
    total = int(per_cell.sum())
    if not total:
        raise NoValueError("column")
    heavy = np.flatnonzero(per_cell > total / bins)
    keys, counts, one = _pieces(per_cell, heavy, _count_within(heavy, plain, chunks))
    chosen = Bins(_edges(keys, counts, one, total / bins), center)
    middle = keys[np.searchsorted(np.cumsum(counts), total / 2)]
    return chosen, _number(np.array([middle]))[0], float(per_cell[chosen.cut].sum() / total)


def _numbers(plain: Bins, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a chunk around the center, without NaN and without minus zero."""
    return plain.centered(chunk[~np.isnan(chunk)]) + np.float32(0)


def _count_within(heavy: NDArray[np.intp], plain: Bins, chunks: Chunks) -> NDArray[np.int64]:
    """Count the values of each heavy cell by their lower 16 bits: shape (heavy, CELLS), most of it untouched memory."""
    row = np.full(CELLS, -1)
    row[heavy] = np.arange(len(heavy))
    within = np.zeros((len(heavy), CELLS), np.int64)
    for chunk in chunks() if len(heavy) else ():
        numbers = _numbers(plain, chunk)
        rows = row[cells_of(numbers)]
        bits = numbers[rows >= 0].view(np.uint32) & 0xFFFF
        values, counts = np.unique(rows[rows >= 0] * CELLS + bits, return_counts=True)
        within.reshape(-1)[values] += counts
    return within


def _pieces(
    per_cell: NDArray[np.int64], heavy: NDArray[np.intp], within: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the column as pieces in ascending order: light cells as a whole, heavy ones value by value.

    Each piece has the key of its least number, its count, and whether it is one value.
    """
    light = per_cell > 0
    light[heavy] = False
    cells = np.flatnonzero(light).astype(np.uint32)
    least = np.where(cells >> 15, (cells << 16) | 0xFFFF, cells << 16)
    rows, lower = np.nonzero(within)
    values = (heavy[rows].astype(np.uint32) << 16) | lower.astype(np.uint32)
    keys = _key(np.concatenate((least.astype(np.uint32), values)))
    counts = np.concatenate((per_cell[cells], within[rows, lower]))
    one = np.arange(len(keys)) >= len(cells)
    order = np.argsort(keys)
    return keys[order], counts[order], one[order]


def _edges(
    keys: NDArray[np.uint32], counts: NDArray[np.int64], one: NDArray[np.bool_], target: float
) -> NDArray[np.float32]:
    """Return the edges between pieces: where the mass passes a multiple of `target`, and around each heavy value."""
    before = np.cumsum(counts) - counts
    passed = np.flatnonzero(np.diff(before // target)) + 1
    atoms = keys[one & (counts >= target)]
    ends = atoms[atoms != _INFINITY] + np.uint32(1)
    return np.unique(_number(np.concatenate((keys[passed], atoms, ends))))


def _key(bits: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return integers in the order of the numbers that float32 bits stand for."""
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number(keys: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return the float32 numbers of keys; zero for minus zero."""
    bits = np.where(keys & _SIGN, keys & ~_SIGN, ~keys)
    return bits.astype(np.uint32).view(np.float32) + np.float32(0)
