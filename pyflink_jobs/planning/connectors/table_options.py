"""The options of a table in a catalog, and how to give it others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

__all__ = ["KAFKA", "TRANSACTIONS", "UNREMEMBERED", "options_of", "send_nowhere", "set_options"]

KAFKA = ("kafka", "upsert-kafka")
"""The connectors whose tables are topics."""

TRANSACTIONS = "sink.transactional-id-prefix"
"""The option of a sink that writes in transactions: what their names begin with."""

UNREMEMBERED = {"properties.commit.offsets.on.checkpoint": "false", "properties.enable.auto.commit": "false"}
"""Options of a source whose reading is not remembered for its consumer group."""


def options_of(environment: TableEnvironment, table: str) -> dict[str, str]:
    """Return the options of a table, by the name that Flink knows it by."""
    from pyflink.table.catalog import ObjectPath

    catalog = environment.get_catalog(environment.get_current_catalog())
    return dict(catalog.get_table(ObjectPath(environment.get_current_database(), table)).get_options())


def set_options(environment: TableEnvironment, table: str, options: Mapping[str, str]) -> None:
    """Give a table other values of some options."""
    listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in options.items())
    environment.execute_sql(f"ALTER TABLE {quoted(table)} SET ({listed})")


def send_nowhere(environment: TableEnvironment, table: str) -> None:
    """Let nothing become of the rows that are written to a table."""
    others = [key for key in options_of(environment, table) if key != "connector"]
    set_options(environment, table, {"connector": "blackhole"})
    if others:
        environment.execute_sql(f"ALTER TABLE {quoted(table)} RESET ({', '.join(map(literal, others))})")
