"""What a model declares beside its scores, and what adds statements to its jobs.

A package brings one by an entry point of the group `millstream.companions`, whose value is a subclass of `Companion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pyflink_jobs.planning.extensions import extensions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.planning.addition import Addition, Tables
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.planning.scored_view import ScoredView
    from pyflink_jobs.project.settings import Project
    from udfs.scoring.model import ModelSpec

__all__ = ["Companion", "GeneratedInsert", "Places", "companions"]

Places: TypeAlias = Mapping[str, Mapping[tuple[str, int, int], int]]
"""By source; then by topic, partition and offset: how often the record is to be marked as replayed."""


@dataclass(frozen=True)
class GeneratedInsert:
    """An INSERT that Millstream adds to a job: the table it writes to, and its text."""

    table: str
    text: str


class Companion:
    """A base class: a companion overrides what it needs."""

    name: ClassVar[str] = ""

    prefix: ClassVar[str] = ""
    """How its options in CREATE MODEL begin, such as "monitor."; "" for a companion of every model."""

    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The system tables that it writes, with the columns that each may have."""

    def bind(
        self, model: ModelDefinition, spec: ModelSpec | None, project: Project
    ) -> tuple[Addition | None, list[Finding]]:
        """Read and check a model's options; return what is added to its calls, None for nothing.

        `spec` is None where the model itself does not fit its file.
        """
        return None, []

    def describe(self, job: Job) -> Iterable[str]:
        """Yield lines for `explain`: what is done for a job."""
        for model in job.models.values():
            if self.name in model.additions:
                yield f"{self.name} of {model.definition.name}: {model.additions[self.name].describe}"

    def inserts(
        self,
        job: Job,
        views: list[ScoredView],
        tables: Tables,
        places: Places | None,
    ) -> list[GeneratedInsert]:
        """Return the INSERTs that are added to a job, whose calls `views` are; all of `tables` is loaded.

        With `places` the job replays those records: only what results from them is written.
        """
        return []


def companions() -> list[Companion]:
    """Return all companions."""
    return extensions("millstream.companions")
