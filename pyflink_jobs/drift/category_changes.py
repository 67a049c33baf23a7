"""Which categories of a text feature appeared, vanished or changed, and which are nearly spelled alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from math import exp, sqrt
from typing import TYPE_CHECKING, Literal

from udfs.distributions.categorical import REST
from udfs.drift.thresholds import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.drift.records import Drift

__all__ = ["CategoryChange", "category_changes", "in_words"]

_ERRORS = 3.0  # standard errors from which a share has changed
_NEAR = 0.75  # similarity, as difflib measures it


@dataclass(frozen=True)
class CategoryChange:
    """A category whose share differs from the reference's by more than chance, and a known one spelled like it."""

    name: str
    change: Literal["appeared", "vanished", "more", "fewer"]
    share: float
    reference_share: float
    near: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        return asdict(self)


def category_changes(drift: Drift) -> list[CategoryChange]:
    """Return the changes that a record names, the largest first; none for numbers and older records."""
    shares = list(zip(drift.categories, drift.shares, drift.reference_shares, strict=True))
    known = [name for name, _, before in shares if before and name != REST]
    found = []
    for name, now, before in shares:
        change = _change(drift, now, before)
        if change:
            near = _near(name, known) if change == "appeared" and name != REST else None
            found.append(CategoryChange(name, change, now, before, near))
    return found


def in_words(change: CategoryChange) -> str:
    """Return a change as text."""
    name = "all other values" if change.name == REST else f"`{change.name}`"
    if change.change == "appeared":
        near = f"; it is spelled like `{change.near}`" if change.near else ""
        return f"{name} appeared: {change.share:.1%}, none in the reference{near}"
    if change.change == "vanished":
        return f"{name} vanished: it was {change.reference_share:.1%}"
    return f"{name}: {change.share:.1%}, it was {change.reference_share:.1%}"


def _change(drift: Drift, now: float, before: float) -> Literal["appeared", "vanished", "more", "fewer"] | None:
    n, m = drift.n, drift.reference_n
    if not before:
        return "appeared"
    if not now:
        return "vanished" if exp(-before * n) <= ALPHA else None
    pooled = (now * n + before * m) / (n + m)
    if abs(now - before) <= _ERRORS * sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)):
        return None
    return "more" if now > before else "fewer"


def _near(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is the same but for case and spaces, or else the most similar one."""
    plain = {"".join(other.casefold().split()): other for other in known}
    return next((plain[near] for near in get_close_matches("".join(name.casefold().split()), plain, 1, _NEAR)), None)
