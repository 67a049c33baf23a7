"""A companion of twenty lines: rows whose key is even are written to a table of their own, with their score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pyflink_jobs.errors import Finding
from pyflink_jobs.planning.addition import Addition
from pyflink_jobs.planning.companion import Companion, GeneratedInsert

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.planning.addition import Tables
    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.planning.scored_view import ScoredView
    from pyflink_jobs.project.settings import Project
    from udfs.scoring.model import ModelSpec


def even_rider() -> Any:  # noqa: ANN401 - a class that is local travels to the worker with the function
    """Return a rider that adds the field `_even`."""

    class Even:
        arguments = ("int64",)
        fields: ClassVar = {"_even": "BOOLEAN"}

        def load(self) -> Even:
            return self

        def ride(self, columns: dict[str, Any], arguments: list[Any]) -> dict[str, Any]:
            assert set(columns) == {"x", "y", "z", "score"}
            return {"_even": np.asarray(arguments[0]) % 2 == 0}

    return Even()


@dataclass(frozen=True)
class EvenOfModel(Addition):
    """What is added to the calls of a model with 'even.key'."""

    key: str

    @property
    def rider(self) -> Any:  # type: ignore[override]  # noqa: ANN401 - made when it is asked for
        return even_rider()

    @property
    def describe(self) -> str:
        return f"rows whose {self.key} is even"

    @property
    def kept(self) -> tuple[str, ...]:
        return (self.key,)

    @property
    def arguments(self) -> tuple[str, ...]:
        return (f"`{self.key}`",)

    def views(self, scored: str, number: int, environment: TableEnvironment) -> dict[str, str]:
        assert environment
        columns = f"`{self.key}` AS `key`, `_score`.`score` AS `score`"
        return {f"even_{number}": f"SELECT {columns} FROM `{scored}` WHERE `_score`.`_even`"}


class Even(Companion):
    """Goes with models that have the option 'even.key'."""

    name = "even"
    prefix = "even."
    tables: ClassVar = {"even": ("key", "score")}

    def bind(
        self, model: ModelDefinition, spec: ModelSpec | None, project: Project
    ) -> tuple[EvenOfModel | None, list[Finding]]:
        assert project
        given = {key: option for key, option in model.options.items() if key.startswith(self.prefix)}
        unknown = [Finding(f"unknown option '{key}'", o.place) for key, o in given.items() if key != "even.key"]
        asked = EvenOfModel(given["even.key"].value) if "even.key" in given and spec else None
        return asked, unknown

    def inserts(
        self, job: Job, views: list[ScoredView], tables: Tables, places: Places | None
    ) -> list[GeneratedInsert]:
        assert job.system_tables == {"even"} <= tables.statements.keys()
        names = [name for view in views for name in view.added.get(self.name, ())] if places is None else []
        return [GeneratedInsert("even", f"INSERT INTO `even` SELECT `key`, `score` FROM `{name}`") for name in names]
