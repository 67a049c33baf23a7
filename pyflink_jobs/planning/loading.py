"""Load what a job reads and writes into a catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.catalog import Catalog
from pyflink_jobs.planning.drift_sql import ALERTS, DRIFT
from pyflink_jobs.planning.quarantine_sql import QUARANTINE
from pyflink_jobs.project.tokens import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.project.sqlfile import Statement

__all__ = ["KAFKA", "TRANSACTIONS", "LoadedJob", "keep_apart", "load_job", "set_options"]

_PYTHON_STATE = {
    # On the heap, Flink 2.3 gives all Python state of a subtask one key object. It changes with each key, so a
    # checkpoint holds the state of the last key alone (docs/decisions/007). RocksDB writes keys down at once.
    "state.backend.type": "rocksdb",
    # Operators that share a worker share the server that it asks for state. When a job is cancelled, the first of them
    # to close frees its RocksDB while the worker goes on asking: the JVM dies. With one each, the server ends first.
    "python.fn-execution.memory.managed": "false",
}
"""What a job needs whose Python functions keep state."""

KAFKA = ("kafka", "upsert-kafka")
"""The connectors whose tables are topics."""

TRANSACTIONS = "sink.transactional-id-prefix"
"""The option of a sink that writes in transactions: what their names begin with."""


@dataclass(frozen=True)
class LoadedJob:
    """What a job needs, in a catalog; `statements` are those it needs and its own.

    `names` says by what names Flink knows the tables; `sources` and `sinks` are the options of those that it reads and
    writes, by their own names.
    """

    catalog: Catalog
    statements: list[Statement]
    names: dict[str, str]
    sources: dict[str, dict[str, str]]
    sinks: dict[str, dict[str, str]]


def load_job(
    declarations: Declarations, name: str, environment: TableEnvironment, *, bounded: bool = False
) -> LoadedJob:
    """Load what a job reads and writes into `environment`.

    `bounded` makes Kafka sources end at the offsets that are the newest when the job starts.
    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    job = declarations.job(name)
    needed = declarations.needed(job)
    declarations.refuse_findings([*job, *needed])
    catalog = Catalog(environment, declarations.models, [*needed, *job], declarations.guarded)
    for statement in needed:
        catalog.load(statement)
    names = {s.name or "": _read_as(s.name or "", declarations) for s in needed if s.kind == "CREATE TABLE"}
    tables = {name: _options(environment, table) for name, table in names.items()}
    sinks = {statement.name for statement in job if statement.kind == "INSERT INTO"} | {DRIFT, ALERTS, QUARANTINE}
    sources = {table: options for table, options in tables.items() if table not in sinks}
    if bounded:
        # Each partition ends, so none can fall idle for good; one that is slow must not make others' rows late.
        environment.get_config().set("table.exec.source.idle-timeout", "0 s")
    if any(statement.kind == "CREATE MODEL" and _is_watched(statement, declarations) for statement in needed):
        for key, value in _PYTHON_STATE.items():
            environment.get_config().set(key, value)
    for table, options in sources.items():
        if bounded and options.get("connector") in KAFKA:
            set_options(environment, names[table], {"scan.bounded.mode": "latest-offset"})
    written = {table: tables[table] for table in tables if table in sinks}
    return LoadedJob(catalog, [*needed, *job], names, sources, written)


def keep_apart(loaded: LoadedJob, environment: TableEnvironment) -> None:
    """Keep a replay from what belongs to a running job: its transactions, and the offsets of its consumer group."""
    for table, options in loaded.sinks.items():
        if prefix := options.get(TRANSACTIONS):
            set_options(environment, loaded.names[table], {TRANSACTIONS: f"{prefix}-replay"})
    for table, options in loaded.sources.items():
        if options.get("connector") in KAFKA:
            set_options(environment, loaded.names[table], {"properties.commit.offsets.on.checkpoint": "false"})


def set_options(environment: TableEnvironment, table: str, options: Mapping[str, str]) -> None:
    """Give a table, by the name that Flink knows it by, other values of some options."""
    listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in options.items())
    environment.execute_sql(f"ALTER TABLE {quoted(table)} SET ({listed})")


def _read_as(name: str, declarations: Declarations) -> str:
    """Return the name of the table that reads a source's topic."""
    return declarations.guarded[name].table if name in declarations.guarded else name


def _is_watched(statement: Statement, declarations: Declarations) -> bool:
    model = declarations.models.get(statement.name or "")
    return model is not None and model.monitored is not None


def _options(environment: TableEnvironment, table: str) -> dict[str, str]:
    from pyflink.table.catalog import ObjectPath  # noqa: PLC0415 - PyFlink is slow to import

    catalog = environment.get_catalog(environment.get_current_catalog())
    return dict(catalog.get_table(ObjectPath(environment.get_current_database(), table)).get_options())
