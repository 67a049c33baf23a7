"""The records of the topics `drift` and `alerts`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Alarm", "Drift", "Series", "iso", "utc"]

_ARRAYS = ("quantiles", "reference_quantiles", "categories", "shares", "reference_shares")
_MEDIAN = 5  # of the quantiles that are shown


class Series(NamedTuple):
    """Results that can be shown together: windows of one model in one job, compared with one reference."""

    model: str
    version: str
    job: str
    reference: str


@dataclass(frozen=True)
class Drift:
    """A record of the topic `drift`; sql/sinks/drift.sql says what its fields mean."""

    model: str
    version: str
    job: str
    reference: str
    window_start: datetime
    window_end: datetime
    slice: str
    feature: str
    n: int
    nulls: int
    late: int
    verdict: str
    reference_n: int
    reference_nulls: int
    d_lo: float | None = None
    d_hi: float | None = None
    margin: float | None = None
    p: float | None = None
    q: float | None = None
    rank: float | None = None
    psi: float | None = None
    wasserstein: float | None = None
    quantiles: tuple[float | None, ...] = ()
    reference_quantiles: tuple[float | None, ...] = ()
    categories: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    reference_shares: tuple[float, ...] = ()

    @classmethod
    def read(cls, value: dict[str, Any]) -> Self:
        """Return the record of a JSON object. Raises TypeError or ValueError if it is not one."""
        times = {name: datetime.fromisoformat(value.get(name, "")) for name in ("window_start", "window_end")}
        arrays = {name: tuple(value.get(name) or ()) for name in _ARRAYS}
        return cls(**_known(cls, value) | times | arrays)

    @property
    def series(self) -> Series:
        """The results that it can be shown with."""
        return Series(self.model, self.version, self.job, self.reference)

    @property
    def length(self) -> timedelta:
        """The length of its window."""
        return self.window_end - self.window_start

    @property
    def median(self) -> float | None:
        """The window's median; None for text, without values, or if it is infinite."""
        return self.quantiles[_MEDIAN] if self.quantiles else None

    @property
    def reference_median(self) -> float | None:
        """The reference's median, likewise."""
        return self.reference_quantiles[_MEDIAN] if self.reference_quantiles else None

    @property
    def null_share(self) -> float:
        """The share of NULL in the window; 0 without rows."""
        return self.nulls / max(self.n + self.nulls, 1)

    @property
    def reference_null_share(self) -> float:
        """The share of NULL in the reference; 0 without rows."""
        return self.reference_nulls / max(self.reference_n + self.reference_nulls, 1)

    @property
    def null_shift(self) -> float:
        """The difference of the shares of NULL."""
        return abs(self.null_share - self.reference_null_share)

    @property
    def strength(self) -> float | None:
        """Its distance in margins, by its values or its NULLs, whichever is larger; None if nothing was tested."""
        return max(self.d_lo or 0.0, self.null_shift) / self.margin if self.margin else None

    def as_json(self) -> dict[str, object]:
        """Return the record as plain values."""
        return {**asdict(self), "window_start": iso(self.window_start), "window_end": iso(self.window_end)}


@dataclass(frozen=True)
class Alarm:
    """A record of the topic `alerts`; sql/sinks/alerts.sql says what its fields mean."""

    model: str
    version: str
    job: str
    slice: str
    feature: str
    event: str
    message: str
    since: datetime | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    defined_at: str | None = None

    @classmethod
    def read(cls, value: dict[str, Any]) -> Self:
        """Return the record of a JSON object. Raises TypeError or ValueError if it is not one."""
        texts = {name: value.get(name) for name in ("since", "window_start", "window_end")}
        return cls(**_known(cls, value) | {name: text and datetime.fromisoformat(text) for name, text in texts.items()})

    def as_json(self) -> dict[str, object]:
        """Return the record as plain values."""
        times = {"since": self.since, "window_start": self.window_start, "window_end": self.window_end}
        return {**asdict(self), **{name: time and iso(time) for name, time in times.items()}}


def utc(time: datetime) -> str:
    """Return a time as the commands write and read it, as short as possible: midnight is only the day."""
    seconds = time.timestamp()
    form = "%Y-%m-%d" if seconds % 86_400 == 0 else "%Y-%m-%dT%H:%M" if seconds % 60 == 0 else "%Y-%m-%dT%H:%M:%S"
    return time.astimezone(UTC).strftime(form)


def iso(time: datetime) -> str:
    """Return a time as in the topic."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(cls: type, value: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that the class has: newer versions may write more columns."""
    return {name: value[name] for name in cls.__annotations__ if name in value}
