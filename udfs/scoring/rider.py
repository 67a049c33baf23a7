"""What rides along with a scoring call: it gets each batch's columns, and adds fields to the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LoadedRider", "Rider"]


class LoadedRider(Protocol):
    """A rider in a worker, ready for batches."""

    def ride(
        self, columns: Mapping[str, NDArray[Any]], arguments: Sequence[NDArray[Any]]
    ) -> Mapping[str, NDArray[Any]]:
        """Return the rider's fields for a batch of n rows, each of shape (n,).

        `columns` are the model's inputs and outputs by name, `arguments` the rider's own, each of shape (n,). What it
        returns must not change a score.
        """


class Rider(Protocol):
    """A rider as it is planned: small and picklable."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The dtypes of the arguments that follow the model's own in the call."""

    @property
    def fields(self) -> Mapping[str, str]:
        """The SQL types of the fields that follow the model's own in the result, by name."""

    def load(self) -> LoadedRider:
        """Read what a worker needs; called once in each."""
