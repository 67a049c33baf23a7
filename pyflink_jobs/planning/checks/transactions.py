"""Exactly-once tables: a timeout that the brokers allow, and transactions that no other job has.

Flink asks for transactions of an hour, Kafka's brokers allow a quarter of one unless they are configured. Two sinks
with one 'sink.transactional-id-prefix' abort each other's transactions.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, KafkaError
from pyflink_jobs.planning.connectors.connector import connector_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.planning.declarations import Declarations

__all__ = ["check_transactions", "refuse_long_transactions"]

_GUARANTEE = "sink.delivery-guarantee"
_PREFIX = "sink.transactional-id-prefix"
_TIMEOUT = "properties.transaction.timeout.ms"
_OF_FLINK = 3_600_000  # milliseconds, where a table says nothing
_OF_KAFKA = 900_000  # what brokers allow that are not configured


def check_transactions(declarations: Declarations, *, offline: bool) -> list[Finding]:
    """Return findings on the exactly-once tables that jobs write; without `offline`, brokers are asked what they allow.

    A broker that does not answer is taken for one that is not configured.
    """
    tables = {
        name: table for name, table in declarations.tables.items() if _writers(declarations, name) and _is_once(table)
    }
    findings = [finding for table in tables.values() for finding in _timeout(table, offline=offline)]
    by_prefix: dict[tuple[str, str], list[SourceTable]] = defaultdict(list)
    for table in tables.values():
        if prefix := table.option(_PREFIX):
            client = connector_of(table.values).client(table.values)
            by_prefix[client.get("bootstrap.servers", ""), prefix].append(table)
        else:
            ways = (f"add '{_PREFIX}' = '{table.label}'; no other table in this Kafka may have it",)
            findings.append(
                Finding(
                    f"`{table.label}` is exactly-once and has no '{_PREFIX}'",
                    table.statement.place(table.name.start),
                    (),
                    ways,
                )
            )
    for sharing in by_prefix.values():
        findings += _shared(declarations, sharing)
    return findings


def refuse_long_transactions(sinks: Mapping[str, Mapping[str, str]]) -> None:
    """Raise KafkaError for an exactly-once sink whose transactions are longer than its brokers allow.

    `sinks` are options by the tables' names.
    """
    for name, options in sinks.items():
        if options.get(_GUARANTEE) == "exactly-once" and (limit := connector_of(options).longest_transaction(options)):
            asked, words = _asked(options)
            if asked > limit:
                raise KafkaError(_too_long(name, asked, words, limit, known=True))


def _is_once(table: SourceTable) -> bool:
    return table.option(_GUARANTEE) == "exactly-once"


def _writers(declarations: Declarations, table: str) -> list[str]:
    return sorted(name for name, job in declarations.jobs.items() if table in job.written)


def _asked(options: Mapping[str, str]) -> tuple[int, str]:
    """Return the milliseconds of a sink's transactions, and where they come from."""
    text = options.get(_TIMEOUT, "")
    return (int(text), f"'{_TIMEOUT}' is '{text}'") if text.isdigit() else (_OF_FLINK, f"'{_TIMEOUT}' is not set")


def _timeout(table: SourceTable, *, offline: bool) -> Iterator[Finding]:
    asked, words = _asked(table.values)
    limit = None
    if not offline:
        try:
            limit = connector_of(table.values).longest_transaction(table.values)
        except KafkaError:
            limit = None
    if limit is None and _TIMEOUT in table.options:
        return  # whoever sets it knows the brokers
    if asked > (limit or _OF_KAFKA):
        finding = _too_long(table.label, asked, words, limit or _OF_KAFKA, known=limit is not None)
        option = table.options.get(_TIMEOUT)
        yield Finding(
            finding.message, option.place if option else table.statement.place(table.name.start),
            finding.facts, finding.fixes,
        )  # fmt: skip


def _too_long(name: str, asked: int, words: str, limit: int, *, known: bool) -> Finding:
    allows = f"its brokers allow {_minutes(limit)}" + ("" if known else " unless they are configured")
    return Finding(
        f"`{name}` is exactly-once with transactions of {_minutes(asked)}, {allows}",
        facts=(f"{words}; the brokers' limit is transaction.max.timeout.ms",),
        fixes=(
            f"write '{_TIMEOUT}' = '{limit}': longer than the time between two checkpoints, and than a restart takes",
            f"set the brokers' transaction.max.timeout.ms to {asked}",
        ),
    )


def _minutes(milliseconds: int) -> str:
    return f"{milliseconds / 60_000:g} minutes"


def _shared(declarations: Declarations, tables: list[SourceTable]) -> Iterator[Finding]:
    """Yield a finding for tables of one prefix that several sinks write."""
    writers = [(table, job) for table in tables for job in _writers(declarations, table.label)]
    if len(writers) < len(("one", "another")):
        return
    first, (table, _) = tables[0], writers[-1]
    option = table.options[_PREFIX]
    listed = tuple(f"job `{job}` writes `{table.label}`" for table, job in writers)
    ways = [f"give each table its own: '{_PREFIX}' = '{table.label}'"] if table is not first else []
    if len({each.label for each, _ in writers}) < len(writers):
        ways.append(f"let one job alone write `{table.label}`, or give each job a table with its own '{_PREFIX}'")
        ways.append(f"write '{_GUARANTEE}' = 'at-least-once'")
    yield Finding(
        f"{len(writers)} sinks have '{_PREFIX}' = '{option.value}': each aborts the other's transactions",
        option.place,
        listed,
        tuple(ways),
    )
