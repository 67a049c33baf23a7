"""The views that replace an ML_PREDICT call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.planning.declarations import Model

__all__ = ["ScoredView"]


@dataclass(frozen=True)
class ScoredView:
    """The views of a call: `scored` calls the model, `predictions` is what a query reads.

    `kept` has the types of those columns of the call's table that both have, by name. `source` is what follows FROM
    where the call reads its rows, `inputs` are the first arguments of the function; `timed`, where there is one, is a
    view of `source` that says which rows are late: those are not scored. `ridden`, by name, is a view of `scored` in
    which the model's riders are called, where that is another function. `added` has the views of the model's additions,
    by the companion's name, in order.
    """

    call: Call
    model: Model
    scored: str
    scored_sql: str
    predictions: str
    predictions_sql: str
    kept: dict[str, str]
    source: str
    inputs: list[str]
    timed: str = ""
    timed_sql: str = ""
    ridden: dict[str, str] = field(default_factory=dict)
    added: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def views(self) -> dict[str, str]:
        """All views by name, in the order in which they are created."""
        views = {self.timed: self.timed_sql} if self.timed else {}
        views |= {self.scored: self.scored_sql, **self.ridden, self.predictions: self.predictions_sql}
        for more in self.added.values():
            views |= more
        return views
