"""Columns that none of a source's newest records has: they are NULL, often since a name is written otherwise.

Flink's formats look for a column's own name, capitals included, and make NULL of what is not there. So a sample of the
records is compared with the columns, by clients in Python: the stream itself is read as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Finding, MillstreamError
from pyflink_jobs.parsing.record_fields import EACH, primary_key, record_fields
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.parsing.create_table import SourceTable

__all__ = ["Absent", "absent_columns"]

_SAMPLE = 1_000  # records of a source
_NEAR = 0.8  # how much of two names must be alike, letters and digits alone
_SHORTEST = 5  # letters and digits of names that are alike and not the same: `lat` and `late` are two things


@dataclass(frozen=True)
class Absent:
    """A field that no record of a sample has; `near` is whether they have one of a similar name in its place."""

    finding: Finding
    near: bool


def absent_columns(tables: Iterable[SourceTable]) -> list[Absent]:
    """Return the absent fields of sources, as far as their records are there and can be read."""
    found: list[Absent] = []
    for table in tables:
        try:
            records = connector_of(table.values).sample(table.values, _SAMPLE) or []
        except MillstreamError:
            continue  # what reads the records says why they cannot be reached
        found += [
            absent
            for part, read in _parts(table, records).items()
            for absent in _absent(table, part, [record for record in read if record is not None])
        ]
    return found


def _parts(table: SourceTable, records: list[Record]) -> dict[tuple[tuple[str, ...], ...], list[dict[str, Any] | None]]:
    """Return the fields that records' keys have, and those that their values have, each with these as objects."""
    options, paths = table.values, record_fields(table)
    in_key = set(options.get("key.fields", "").split(";")) | (primary_key(table) if _is_versioned(table) else set())
    if options.get("value.fields-include") != "EXCEPT_KEY":
        in_key = set()  # the value has them too, and is what they are read from
    prefix = options.get("key.fields-prefix", "")
    of_key = [(path[0].removeprefix(prefix), *path[1:]) for path in paths if path[0] in in_key]
    of_value = [path for path in paths if path[0] not in in_key]
    key, value = format_of({"format": options.get("key.format", "")}), format_of(options)
    found = {tuple(of_key): [key.fields(record.key) for record in records]} if of_key else {}
    return found | {tuple(of_value): [value.fields(record.value) for record in records]}


def _is_versioned(table: SourceTable) -> bool:
    return table.option("connector") in connector_of(table.values).versioned


def _absent(table: SourceTable, paths: tuple[tuple[str, ...], ...], records: list[dict[str, Any]]) -> Iterator[Absent]:
    """Yield what none of some records has; a field within one that is absent is not named again."""
    for path in paths:
        *parents, name = path
        objects = [each for record in records for each in _at(record, parents)]
        if not objects or any(each.get(name) is not None for each in objects):
            continue
        siblings = {other[-1] for other in paths if other[:-1] == path[:-1]}
        others = {key for each in objects for key in each} - siblings
        near = _nearest(name, others) if not any(name in each for each in objects) else None
        yield Absent(_finding(table, path, len(records), near), near=near is not None)


def _at(value: Any, path: list[str]) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield the objects at a path."""
    if not path:
        if isinstance(value, dict):
            yield value
    elif path[0] == EACH:
        for element in value if isinstance(value, list) else ():
            yield from _at(element, path[1:])
    elif isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar name, by letters and digits alone.

    >>> _nearest("arr_delay", ["carrier", "arrDelay"])
    'arrDelay'
    """
    wanted, bare = _bare(name), {_bare(other): other for other in sorted(names)}
    alike = [other for other in bare if len(other) >= _SHORTEST and _digits(other) == _digits(wanted)]
    near = [wanted] if wanted in bare else get_close_matches(wanted, alike, n=1, cutoff=_NEAR)
    return bare[near[0]] if near else None


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _digits(name: str) -> str:
    """Return what tells `gust_1h` from `gust_3h`."""
    return "".join(filter(str.isdigit, name))


def _finding(table: SourceTable, path: tuple[str, ...], count: int, near: str | None) -> Finding:
    column = next((c for c in table.columns if c.name == path[0]), None)
    name, source = path[-1], table.label
    shown = f"column `{name}`" if len(path) == 1 else f"field `/{'/'.join(path)}`"
    message = f"{shown} of `{source}` is NULL in each of the newest {count:,} records"
    where = column.place if column else table.statement.place(table.name.start)
    if near is None:
        return Finding(f"{message}: none has a value under this name", where)
    return Finding(
        f"{message}: none has the key `{name}`, they have `{near}`",
        where,
        fixes=(f"name it `{near}`, as the records do: names in records are compared with capitals",),
    )
