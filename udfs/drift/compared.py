"""What is compared of a slice in a window, or in a sum of windows, and the JSON in which it goes between operators.

>>> found = Compared(0, 7200, "JFK", 0, {0: 90}, (Comparison("delay", 80, 10, 9000, 0, 0.2, 0.21, quantiles=(1.0,)),))
>>> from_json(to_json(found)) == found
True
>>> found.brief.comparisons[0].d_lo, found.brief.comparisons[0].quantiles
(0.2, ())
"""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from udfs.drift.compare import Comparison

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Compared", "from_json", "from_object", "to_json"]

_USUAL = {f.name: f.default for f in fields(Comparison) if f.default is not MISSING}


@dataclass(frozen=True)
class Compared:
    """The comparisons of a slice and a group of features in a window, or in a sum of 2^level windows.

    `start` is in seconds since 1970. `rows` are the rows in each part of the season; `late` how many of them came after
    the window's first result.
    """

    level: int
    start: int
    label: str
    group: int
    rows: Mapping[int, int]
    comparisons: tuple[Comparison, ...]
    late: int = 0

    @property
    def brief(self) -> Compared:
        """The same without what only a result shows: all that later windows need of it."""
        return replace(self, comparisons=tuple(c.brief for c in self.comparisons))


def to_json(compared: Compared) -> str:
    """Return it as JSON."""
    comparisons = [
        {name: value for name, value in vars(c).items() if name not in _USUAL or value != _USUAL[name]}
        for c in compared.comparisons
    ]
    return json.dumps({**vars(compared), "rows": [*compared.rows.items()], "comparisons": comparisons})


def from_json(text: str) -> Compared:
    """Return what `to_json` wrote."""
    return from_object(json.loads(text))


def from_object(values: dict[str, Any]) -> Compared:
    """Return what `to_json` wrote, as JSON's own objects."""
    comparisons = tuple(_comparison(c) for c in values["comparisons"])
    return Compared(**{**values, "rows": dict(values["rows"]), "comparisons": comparisons})


def _comparison(values: dict[str, Any]) -> Comparison:
    kept: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Comparison(**kept)
