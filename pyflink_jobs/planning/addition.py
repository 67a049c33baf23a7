"""What a companion adds to the calls of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from udfs.scoring.rider import Rider

__all__ = ["Addition", "Tables"]


class Tables(Protocol):
    """What is loaded into Flink's catalog, as companions see it."""

    environment: TableEnvironment
    statements: dict[str, Statement]

    def schema_of(self, source: str) -> dict[str, str]:
        """Return the names and types of the columns of what follows FROM; event time has a type with *ROWTIME*."""

    def changes(self, call: Call) -> bool:
        """Return whether rows that a call reads are updated or deleted later."""

    def columns_to_write(self, table: str) -> list[str]:
        """Return the names of the columns that an INSERT writes that names none."""

    def columns_of_sink(self, table: str) -> list[str]:
        """Return the names of the columns that a table stores."""


class Addition:
    """A base class: nothing is added. A companion's own class overrides what it needs."""

    rider: Rider | None = None
    """What rides along with the scoring call in the worker."""

    @property
    def describe(self) -> str:
        """One line for `explain`."""
        return ""

    @property
    def kept(self) -> tuple[str, ...]:
        """Columns of the call's table that its views read."""
        return ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """SQL of the arguments that follow the model's own, as many as `rider.arguments`."""
        return ()

    @property
    def files(self) -> dict[Path, str]:
        """The files that workers need, with their sha256."""
        return {}

    def moved(self, locate: Callable[[str, str], str]) -> Addition:
        """Return the same with its files elsewhere: `locate` returns the new path of a path and a sha256."""
        return self

    def check(self, call: Call, schema: Mapping[str, str], shown: str, tables: Tables) -> Iterable[Finding]:
        """Find what is wrong with a call; `schema` has the columns that it reads, `shown` names them in findings."""
        return ()

    def views(self, scored: str, number: int, environment: TableEnvironment) -> dict[str, str]:
        """Create functions for the call of this number, and return views over the view `scored`, by name, in order."""
        return {}

    def functions(self, number: int) -> dict[str, object]:
        """Return what the functions of the call of this number are made for, by name, wherever their files are.

        State that a savepoint holds fits a job whose functions are made for the same.
        """
        return {}
