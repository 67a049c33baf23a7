"""The options of a table in a catalog, and how to give it others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.connectors.connector import BLACKHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink.table import TableEnvironment

__all__ = ["options_of", "reset_options", "send_nowhere", "set_options"]


def options_of(environment: TableEnvironment, table: str) -> dict[str, str]:
    """Return the options of a table, by the name that Flink knows it by."""
    from pyflink.table.catalog import ObjectPath

    catalog = environment.get_catalog(environment.get_current_catalog())
    return dict(catalog.get_table(ObjectPath(environment.get_current_database(), table)).get_options())


def set_options(environment: TableEnvironment, table: str, options: Mapping[str, str]) -> None:
    """Give a table other values of some options."""
    if options:
        listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in options.items())
        environment.execute_sql(f"ALTER TABLE {quoted(table)} SET ({listed})")


def reset_options(environment: TableEnvironment, table: str, keys: Iterable[str]) -> None:
    """Take options from a table."""
    if listed := ", ".join(map(literal, keys)):
        environment.execute_sql(f"ALTER TABLE {quoted(table)} RESET ({listed})")


def send_nowhere(environment: TableEnvironment, table: str) -> None:
    """Let a table keep nothing of what is written to it."""
    others = [key for key in options_of(environment, table) if key != "connector"]
    set_options(environment, table, {"connector": BLACKHOLE})
    reset_options(environment, table, others)
