"""What all counts of a sample have: how many values there are, and each count's share of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Shares"]


class Shares:
    """A sample's `counts`, int64 of one dimension; NULL and NaN are not among them."""

    counts: NDArray[np.int64] | NDArray[np.float64]

    @cached_property
    def n(self) -> int:
        """How many values there are, without NULL and NaN."""
        return int(self.counts.sum())

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Each count's share of the values. Raises ValueError where there is none."""
        if not self.n:
            raise ValueError("a sample without a value has no distribution")
        shares: NDArray[np.float64] = self.counts / self.counts.sum()  # not by n, which is rounded for a mixture
        return shares
