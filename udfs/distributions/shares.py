"""The number of values in a sample, and the share of them in each bin or category."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NoValueError", "Shares"]


class NoValueError(ValueError):
    """A sample or a column without a value, which has no distribution."""

    def __init__(self, what: str = "sample") -> None:
        super().__init__(f"a {what} without a value has no distribution")


class Shares:
    """`counts` of a sample by bin or category, of shape (bins,), or of several samples, (samples, bins).

    int64; float64 for a mixture of samples. NULL and NaN are not among them.
    """

    counts: NDArray[np.int64] | NDArray[np.float64]

    @cached_property
    def n(self) -> NDArray[np.int64]:
        """How many values there are, without NULL and NaN, int64: a scalar, or of shape (samples,)."""
        values: NDArray[np.int64] = self.counts.sum(axis=-1).astype(np.int64)
        return values

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Each count's share of its sample's values, float64 of `counts`' shape.

        Raises ValueError for a sample without a value.
        """
        if not self.n.all():
            raise NoValueError
        # Not divided by n, which is rounded for a mixture.
        shares: NDArray[np.float64] = self.counts / self.counts.sum(axis=-1, keepdims=True)
        return shares
