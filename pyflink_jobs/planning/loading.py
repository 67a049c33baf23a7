"""Load what a job reads and writes into a catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.catalog import Catalog
from pyflink_jobs.planning.drift_sql import ALERTS, DRIFT
from pyflink_jobs.planning.quarantine_sql import QUARANTINE
from pyflink_jobs.planning.quick_formats import quicken
from pyflink_jobs.planning.rehearsing import rehearse_sink, rehearse_source
from pyflink_jobs.planning.table_options import KAFKA, TRANSACTIONS, options_of, set_options

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.planning.rehearsing import Rehearsal
    from pyflink_jobs.project.sqlfile import Statement

__all__ = ["LoadedJob", "keep_apart", "load_job"]

_PYTHON_STATE = {
    # On the heap, Flink 2.3 gives all Python state of a subtask one key object. It changes with each key, so a
    # checkpoint holds the state of the last key alone (docs/decisions/007). RocksDB writes keys down at once.
    "state.backend.type": "rocksdb",
    # Operators that share a worker share the server that it asks for state. When a job is cancelled, the first of them
    # to close frees its RocksDB while the worker goes on asking: the JVM dies. With one each, the server ends first.
    "python.fn-execution.memory.managed": "false",
}
"""What a job needs whose Python functions keep state."""


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
    declarations: Declarations,
    name: str,
    environment: TableEnvironment,
    *,
    bounded: bool = False,
    rehearsal: Rehearsal | None = None,
) -> LoadedJob:
    """Load what a job reads and writes into `environment`.

    `bounded` makes Kafka sources end at the offsets that are the newest when the job starts. A `rehearsal` has the last
    word on what is read and written.
    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    job = declarations.job(name)
    needed = declarations.needed(job)
    declarations.refuse_findings([*job, *needed])
    catalog = Catalog(environment, declarations.models, [*needed, *job], declarations.guarded)
    written = {statement.name for statement in job if statement.kind == "INSERT INTO"} | {DRIFT, ALERTS, QUARANTINE}
    loaded = LoadedJob(catalog, [*needed, *job], {}, {}, {})
    for statement in needed:
        catalog.load(statement)
        if statement.kind != "CREATE TABLE":
            continue
        table = statement.name or ""
        loaded.names[table] = known = _read_as(table, declarations)
        options = options_of(environment, known)
        # At once: a view that calls a model keeps the tables as they are when it is loaded.
        if options.get("connector") in KAFKA:
            quicken(environment, known, options)
        if table in written:
            loaded.sinks[table] = rehearse_sink(environment, known, table, rehearsal) if rehearsal else options
            continue
        loaded.sources[table] = options
        if bounded and options.get("connector") in KAFKA:
            set_options(environment, known, {"scan.bounded.mode": "latest-offset"})
        if rehearsal:
            rehearse_source(environment, known, table, rehearsal)
    if bounded:
        # Each partition ends, so none can fall idle for good; one that is slow must not make others' rows late.
        environment.get_config().set("table.exec.source.idle-timeout", "0 s")
    if any(statement.kind == "CREATE MODEL" and _is_watched(statement, declarations) for statement in needed):
        for key, value in _PYTHON_STATE.items():
            environment.get_config().set(key, value)
    return loaded


def keep_apart(loaded: LoadedJob, environment: TableEnvironment) -> None:
    """Keep a replay from what belongs to a running job: its transactions, and the offsets of its consumer group."""
    for table, options in loaded.sinks.items():
        if prefix := options.get(TRANSACTIONS):
            set_options(environment, loaded.names[table], {TRANSACTIONS: f"{prefix}-replay"})
    for table, options in loaded.sources.items():
        if options.get("connector") in KAFKA:
            set_options(environment, loaded.names[table], {"properties.commit.offsets.on.checkpoint": "false"})


def _read_as(name: str, declarations: Declarations) -> str:
    """Return the name of the table that reads a source's topic."""
    return declarations.guarded[name].table if name in declarations.guarded else name


def _is_watched(statement: Statement, declarations: Declarations) -> bool:
    model = declarations.models.get(statement.name or "")
    return model is not None and model.monitored is not None
