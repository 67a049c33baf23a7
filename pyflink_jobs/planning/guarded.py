"""Sources whose columns have rules: rows that keep them are read on, all others go to the table `quarantine`.

A table of another name reads everything. A view with the source's name has the rows that keep the rules, so every
statement that reads the source gets sound rows alone. A job that scores also gets an INSERT of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.planning.rules import Rule, read_rules
from pyflink_jobs.planning.source_columns import read_source
from pyflink_jobs.project.tokens import quoted

if TYPE_CHECKING:
    from pyflink_jobs.planning.source_columns import SourceTable
    from pyflink_jobs.project.sqlfile import Statement

__all__ = ["UNCHECKED", "GuardedSource", "guard"]

UNCHECKED = "_unchecked"
"""What the table that reads everything has behind the source's name."""

_PREFIX = "_"  # before the names of the metadata columns
_METADATA = {
    "topic": ("topic", "STRING"),
    "partition": ("partition", "INT"),
    "offset": ("offset", "BIGINT"),
    "ingested_at": ("timestamp", "TIMESTAMP_LTZ(3)"),
}
_KAFKA = "kafka"


@dataclass(frozen=True)
class GuardedSource:
    """A source and the rules of its columns."""

    source: SourceTable
    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.statement.name or ""

    @property
    def table(self) -> str:
        """The name of the table that reads everything."""
        return f"{self.name}{UNCHECKED}"

    @property
    def table_sql(self) -> str:
        """The source's own CREATE TABLE with that name, and where each record came from; its lines stay."""
        text, name, end = self.source.statement.text, self.source.name, self.source.end
        metadata = "".join(
            f", {quoted(_PREFIX + key)} {kind} METADATA FROM '{key}' VIRTUAL"
            for _, (key, kind) in _METADATA.items()
            if self.source.connector == _KAFKA
        )
        return text[: name.start] + quoted(self.table) + text[name.end : end] + metadata + text[end:]

    @property
    def metadata(self) -> dict[str, str]:
        """Where a record came from: columns of `quarantine`, as SQL over that table."""
        known = _METADATA if self.source.connector == _KAFKA else {}
        return {name: quoted(_PREFIX + key) for name, (key, _) in known.items()}

    @property
    def holds(self) -> str:
        """The condition that a row keeps all rules; never NULL."""
        return "\n  AND ".join(rule.holds for rule in self.rules)

    @property
    def view_sql(self) -> str:
        """The rows that keep all rules, with the source's own columns."""
        columns = ", ".join(quoted(column.name) for column in self.source.columns)
        return f"SELECT {columns}\nFROM {quoted(self.table)}\nWHERE {self.holds}"


def guard(statement: Statement) -> tuple[GuardedSource | None, list[Finding]]:
    """Read a source's rules: None for one without any, or with findings."""
    source = read_source(statement)
    if source is None:
        return None, []
    rules: list[Rule] = []
    findings: list[Finding] = []
    for column in source.columns:
        found, problems = read_rules(column)
        rules += found
        findings += problems
        if found and source.connector == "upsert-kafka":
            message = f"column `{column.name}` has rules, but `{statement.name}` is a versioned table"
            ways = ("read its topic by a table with 'connector' = 'kafka', give that the rules, and write from it",)
            findings.append(Finding(message, column.place, ("a view of it could not be joined FOR SYSTEM_TIME",), ways))
    return (GuardedSource(source, tuple(rules)) if rules and not findings else None), findings
