"""JSON and Avro in Kafka are read and written by Java classes of our own: the same rows and bytes, in less time.

`quick-json` and `quick-avro` are Flink's formats with their options. What is plain they read and write themselves, the
rest they leave to Flink.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.connectors.table_options import set_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

__all__ = ["quicken"]

_PREFIXES = ("", "value.")  # of the options of a record's value
_FORMATS = ("json", "avro")


def quicken(environment: TableEnvironment, table: str, options: Mapping[str, str]) -> None:
    """Give a table of Kafka whose `options` name one of Flink's formats ours in its place."""
    for prefix in _PREFIXES:
        flinks = options.get(f"{prefix}format")
        if flinks not in _FORMATS:
            continue
        theirs = [key for key in options if key.startswith(f"{prefix}{flinks}.")]
        ours = {key.replace(f"{flinks}.", f"quick-{flinks}.", 1): options[key] for key in theirs}
        set_options(environment, table, {f"{prefix}format": f"quick-{flinks}", **ours})
        if theirs:
            environment.execute_sql(f"ALTER TABLE {quoted(table)} RESET ({', '.join(map(literal, theirs))})")
