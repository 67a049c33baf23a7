"""Load what a job reads and writes into a catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.companions.drift_sql import ALERTS, DRIFT
from pyflink_jobs.planning.companions.quarantine_sql import QUARANTINE
from pyflink_jobs.planning.connectors.kafka import wanting
from pyflink_jobs.planning.connectors.table_options import KAFKA, TRANSACTIONS, UNREMEMBERED, options_of, set_options
from pyflink_jobs.planning.flink.catalog import Catalog
from pyflink_jobs.planning.formats import quicken
from pyflink_jobs.planning.rewrites.dry_run import dry_run_sink, dry_run_source

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.planning.rewrites.dry_run import DryRun

__all__ = ["LoadedJob", "load_job"]

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
    replays: bool = False,
    dry_run: DryRun | None = None,
) -> LoadedJob:
    """Load what a job reads and writes into `environment`.

    `bounded` makes Kafka sources end at the offsets that are the newest when the job starts. A run that `replays` keeps
    from what belongs to a running job: its transactions, and the offsets of its consumer group. A `dry_run` has the
    last word on what is read and written.
    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    job = declarations.job(name)
    needed = declarations.needed(job)
    declarations.refuse_findings([*job, *needed])
    catalog = Catalog(environment, declarations.models, [*needed, *job], declarations.validated)
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
        if changed := _changed(options, written=table in written, bounded=bounded, replays=replays):
            set_options(environment, known, changed)
        if table in written:
            loaded.sinks[table] = dry_run_sink(environment, known, table, dry_run) if dry_run else options
            continue
        loaded.sources[table] = options
        if dry_run:
            dry_run_source(environment, known, table, dry_run)
    if bounded:
        # Each partition ends, so none can fall idle for good; one that is slow must not make others' rows late.
        environment.get_config().set("table.exec.source.idle-timeout", "0 s")
    if _keeps_state(needed, declarations):
        for key, value in _PYTHON_STATE.items():
            environment.get_config().set(key, value)
    return loaded


def _changed(options: dict[str, str], *, written: bool, bounded: bool, replays: bool) -> dict[str, str]:
    """Return the options that a run of this kind gives a table in place of its own."""
    if options.get("connector") not in KAFKA:
        return {}
    changed = wanting(options, written=written)
    if not written:
        return changed | ({"scan.bounded.mode": "latest-offset"} if bounded else {}) | (UNREMEMBERED if replays else {})
    if replays and TRANSACTIONS in options:
        changed[TRANSACTIONS] = f"{options[TRANSACTIONS]}-replay"
    return changed


def _read_as(name: str, declarations: Declarations) -> str:
    """Return the name of the table that reads a source's topic."""
    return declarations.validated[name].table if name in declarations.validated else name


def _keeps_state(needed: list[Statement], declarations: Declarations) -> bool:
    """Say whether any of the job's models is monitored: that is what Python functions keep state for."""
    models = [declarations.models.get(statement.name or "") for statement in needed if statement.kind == "CREATE MODEL"]
    return any(model is not None and model.monitored is not None for model in models)
