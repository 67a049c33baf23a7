"""Read durations and sizes of memory in settings and options: '10 s', '2 gb'."""

from __future__ import annotations

import re

__all__ = ["byte_count", "seconds"]

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "second": 1, "seconds": 1, "min": 60, "minute": 60, "minutes": 60}
_BYTES = {"kb": 2**10, "mb": 2**20, "gb": 2**30}


def seconds(text: str) -> float | None:
    """Return a duration such as '500 ms', '10 s' or '1 min' in seconds; None for 0 or any other text."""
    return _quantity(text, _SECONDS)


def byte_count(text: str) -> int | None:
    """Return a size such as '512 mb' or '2 gb' in bytes, by 1024 as in Flink; None for 0 or any other text."""
    found = _quantity(text, _BYTES)
    return found and int(found)  # type: ignore[return-value]  # 0 is None already


def _quantity(text: str, units: dict[str, float] | dict[str, int]) -> float | None:
    match = _QUANTITY.fullmatch(text.strip())
    unit = units.get(match[2].lower()) if match else None
    return (float(match[1]) * unit or None) if match and unit else None
