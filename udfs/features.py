"""Which columns are counted together, and where each one's counts stand in one array."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from udfs.bins import Bins
    from udfs.categories import Categories

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

    def select(self, names: tuple[str, ...]) -> Features:
        """Return some of the columns, in the order given. Raises KeyError for one that is not there."""
        columns = dict(zip(self.names, self.columns, strict=True))
        return Features(names, tuple(columns[name] for name in names))

    def groups(self, size: int) -> list[Features]:
        """Return the columns in groups of at most `size`, in order."""
        return [self.select(self.names[start : start + size]) for start in range(0, len(self.names), size)]
