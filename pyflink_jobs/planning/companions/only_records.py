"""A job's INSERTs, restricted to what results from some records of its sources: those of some partitions and offsets.

    INSERT INTO predictions
    (`flight_id`, ...)
    SELECT `flight_id`, ... FROM (
    SELECT flight_id, ...
    ) AS `_rows` (`flight_id`, ...)
    WHERE (`departure_partition` = 0 AND (`departure_offset` IN (7, 12)))

The query itself stays as it is, so windows and joins see all records.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.insert import read_insert
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.rewrites.conditions import any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.parsing.insert import Insert
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.addition import Tables
    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.declarations import Job

__all__ = ["Origin", "origins", "restricted_insert", "within"]

_FEW = 50  # ranges of offsets that are written as numbers
_CHUNK = 2_000  # offsets in one text
_KEYS = {"partition": "INT", "offset": "BIGINT", "topic": "STRING"}


@dataclass(frozen=True)
class Origin:
    """The records of a source that count, and the names of the columns that have their partition and offset.

    `topic` is that of the topic, "" where the source reads one topic alone.
    """

    source: str
    partition: str
    offset: str
    topic: str
    places: Mapping[tuple[str, int, int], int]

    @property
    def condition(self) -> str:
        """The condition that a row results from one of them."""
        by_topic: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for topic, number, at in self.places:
            by_topic[topic if self.topic else ""].append((number, at))
        found = {t: within(quoted(self.partition), quoted(self.offset), places) for t, places in by_topic.items()}
        if not self.topic:
            return found.get("", "FALSE")
        return " OR ".join(f"({quoted(self.topic)} = {literal(t)} AND ({places}))" for t, places in found.items())


def restricted_insert(job: Job, statement: Statement, text: str, tables: Tables, places: Places) -> str:
    """Return an INSERT of what results from the records at `places`; "" if it reads none of their sources.

    `text` is the statement's, expanded. Raises SqlError where its sink does not say which record a row results from.
    """
    insert = read_insert(replace(statement, text=text), tables.columns_to_write(statement.name or ""))
    found = origins(job, statement, insert, tables, places)
    if not found:
        return ""
    return insert.only("\n  OR ".join(origin.condition for origin in found))


def origins(job: Job, statement: Statement, insert: Insert, tables: Tables, places: Places) -> list[Origin]:
    """Return the sources among `places` that an INSERT reads; raises SqlError for columns that it does not write."""
    sources = job.sources_of(statement)
    found, findings = [], []
    for name in sources.keys() & places.keys():
        source = sources[name]
        columns = {key: source.metadata(key) for key in _keys(source)}
        if None in columns.values():
            findings.append(_undeclared(source))
            continue
        partition, offset, topic = (columns.get(key) or "" for key in _KEYS)
        types = {column or "": _KEYS[key] for key, column in columns.items()}
        if missing := {column: kind for column, kind in types.items() if column not in insert.columns}:
            findings.append(_unwritten(statement, tables, name, missing))
        if twins := [o for o, t in sources.items() if o != name and partition == t.metadata("partition")]:
            findings.append(_alike(source, sources[min(twins)]))
        found.append(Origin(name, partition, offset, topic, places[name]))
    if findings:
        raise SqlError(findings)
    return sorted(found, key=lambda origin: origin.source)


def within(partition: str, offset: str, places: Iterable[tuple[int, int]]) -> str:
    """Return the condition that a record is at one of some places; `partition` and `offset` are SQL."""
    by_partition: dict[int, list[int]] = defaultdict(list)
    for number, at in sorted(set(places)):
        by_partition[number].append(at)
    parts = [f"({partition} = {number} AND {_among(offset, offsets)})" for number, offsets in by_partition.items()]
    return " OR ".join(parts) or "FALSE"


def _among(offset: str, offsets: list[int]) -> str:
    """Return the condition for ascending offsets; those that follow one another become a range."""
    ranges: list[tuple[int, int]] = []
    for at in offsets:
        if ranges and at == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], at)
        else:
            ranges.append((at, at))
    few = len(ranges) <= _FEW
    short = 1 if few else _CHUNK
    long = [(first, last) for first, last in ranges if last - first >= short]
    single = [at for first, last in ranges if last - first < short for at in range(first, last + 1)]
    choices = [f"{offset} IN ({', '.join(map(str, single))})"] if few and single else []
    choices += [] if few else [_listed_in(offset, single[at : at + _CHUNK]) for at in range(0, len(single), _CHUNK)]
    return f"({any_of([*choices, *(f'{offset} BETWEEN {first} AND {last}' for first, last in long)])})"


def _listed_in(offset: str, offsets: list[int]) -> str:
    """Return the condition for offsets, as one text: Flink takes milliseconds to compile each number of an IN."""
    first, last = offsets[0], offsets[-1]
    text = literal("".join(f",{at - first}" for at in offsets) + ",")
    sought = f"',' || CAST({offset} - {first} AS STRING) || ','"
    return f"({offset} BETWEEN {first} AND {last} AND INSTR({text}, {sought}) > 0)"


def _keys(source: SourceTable) -> list[str]:
    """Return the metadata keys that say which record a row is: of one topic, without the topic."""
    one = len(connector_of(source.values).names(source.values)) == 1
    return [key for key in _KEYS if key != "topic" or not one]


def _undeclared(source: SourceTable) -> Finding:
    name = source.statement.name or ""
    missing = [key for key in _keys(source) if not source.metadata(key)]
    columns = ", ".join(f"{name}_{key} {_KEYS[key]} METADATA FROM '{key}' VIRTUAL" for key in missing)
    message = f"`{name}` has no column for {' and '.join(missing)}, so a row does not say which record it results from"
    return Finding(message, source.statement.place(source.name.start), fixes=(f"add to it: {columns}",))


def _unwritten(statement: Statement, tables: Tables, source: str, missing: dict[str, str]) -> Finding:
    """Return the finding for columns, with their types, that a sink lacks or an INSERT does not write."""
    sink = tables.statements[statement.name or ""]
    there = tables.columns_to_write(statement.name or "")
    listed = " and ".join(map(quoted, missing))
    message = f"`{sink.name}` does not say which record of `{source}` a row results from: no {listed}"
    facts = (f"{statement.place()}: INSERT INTO {sink.name}",)
    lacking = ", ".join(f"{quoted(column)} {kind}" for column, kind in missing.items() if column not in there)
    if not lacking:
        return Finding(message, statement.place(), fixes=(f"name {listed} behind INSERT INTO, and select them",))
    ways = (f"add to it {lacking}, and select {listed} in {statement.file}",)
    return Finding(message, sink.place(), facts, ways)


def _alike(source: SourceTable, other: SourceTable) -> Finding:
    name, partition = other.statement.name, source.metadata("partition")
    message = f"`{source.statement.name}` and `{name}` both have a column `{partition}`: a row does not say which it is"
    ways = (f"rename it in one of them: {name}_partition INT METADATA FROM 'partition' VIRTUAL",)
    return Finding(message, source.statement.place(source.name.start), (f"also {other.statement.place()}",), ways)
