"""Records of a topic whose values are JSON objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["json_objects"]


class _Valued(Protocol):
    @property
    def value(self) -> bytes | None: ...


Record = TypeVar("Record", bound=_Valued)


def json_objects(records: Iterable[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """Yield the records whose value is a JSON object, with that object: any program may write others to a topic."""
    for record in records:
        try:
            value = json.loads(record.value or b"")
        except ValueError:
            continue
        if isinstance(value, dict):
            yield record, value
