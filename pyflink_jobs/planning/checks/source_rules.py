"""Which sources have a guard: read what a CREATE TABLE says of its records, and find what cannot be kept."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.parsing.create_table import SourceTable, read_source
from pyflink_jobs.planning.companions.quarantine_sql import KNOWN_COLUMNS, QUARANTINE
from pyflink_jobs.planning.rewrites.column_rules import Rule, read_rules
from pyflink_jobs.planning.rewrites.personal_data import read_pii
from pyflink_jobs.planning.rewrites.validated_source import MODE, GuardedSource, can_be_checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["guard_all"]

_MODES = ("full", "pointer", "off")
_SILENT = "json.ignore-parse-errors"


def guard_all(sources: Iterable[Statement], names: set[str | None]) -> tuple[dict[str, GuardedSource], list[Finding]]:
    """Return the guarded sources by name, and findings; `names` are those of all that the project declares.

    A source has a guard if it says something of its records, or is JSON or Avro in Kafka beside a table `quarantine`.
    """
    guarded, findings = {}, []
    for statement in sources:
        source = read_source(statement) if statement.kind == "CREATE TABLE" else None
        if source is None:
            continue
        found, problems = _guard(source, quarantined=QUARANTINE in names)
        findings += problems
        if found:
            guarded[found.name] = found
    return guarded, findings


def _guard(source: SourceTable, *, quarantined: bool) -> tuple[GuardedSource | None, list[Finding]]:
    rules: list[Rule] = []
    personal: dict[str, str] = {}
    findings: list[Finding] = []
    for column in source.columns:
        found, problems = read_rules(column)
        way, more = read_pii(column)
        rules += found
        personal |= {column.name: way} if way else {}
        findings += [*problems, *more]
    if not rules and not personal and not findings and MODE not in source.options:
        if not quarantined or not can_be_checked(source):
            return None, []
    elif source.connector == "upsert-kafka":
        message = f"`{source.statement.name}` has rules, but it is a versioned table"
        ways = ("read its topic by a table with 'connector' = 'kafka', give that the rules, and write from it",)
        facts = ("a view of it could not be joined FOR SYSTEM_TIME",)
        findings.append(Finding(message, source.statement.place(source.name.start), facts, ways))
    mode = source.option(MODE) or _default(source, personal, quarantined=quarantined)
    guarded = GuardedSource(source, tuple(rules), personal, mode)
    findings += _of_mode(guarded) + ([] if quarantined else _without_table(guarded))
    return (None if findings else guarded), findings


def _default(source: SourceTable, personal: dict[str, str], *, quarantined: bool) -> str:
    if not quarantined:
        return "off"
    return "pointer" if personal or not can_be_checked(source) else "full"


def _of_mode(guarded: GuardedSource) -> list[Finding]:
    """Find options that cannot be kept."""
    source = guarded.source
    findings = []
    ways: tuple[str, ...]
    if guarded.mode not in _MODES:
        near = get_close_matches(guarded.mode, _MODES, n=1)
        ways = (f"write '{near[0]}'",) if near else (f"write one of {', '.join(_MODES)}",)
        place = source.statement.place(source.options[MODE].value.start)
        findings.append(Finding(f"there is no '{MODE}' = '{guarded.mode}'", place, ways_out=ways))
    if guarded.mode == "full" and guarded.personal:
        place = source.statement.place(source.options[MODE].value.start)
        message = f"quarantine would keep the personal data of `{guarded.name}` in the records' original bytes"
        ways = (f"write '{MODE}' = 'pointer'", "leave the option out")
        findings.append(Finding(message, place, (f"columns: {', '.join(guarded.personal)}",), ways))
    if guarded.is_checked and source.option(_SILENT).lower() == "true":
        place = source.statement.place(source.options[_SILENT].key.start)
        ways = ("leave the option out: such records go to quarantine", f"write '{MODE}' = 'off'")
        findings.append(Finding(f"'{_SILENT}' drops records without a trace", place, ways_out=ways))
    return findings


def _without_table(guarded: GuardedSource) -> list[Finding]:
    """Find what needs a table `quarantine`."""
    if not guarded.rules and guarded.mode == "off":
        return []
    facts = (f"its columns may be: {', '.join(KNOWN_COLUMNS)}",)
    ways = (f"declare it in sql/sinks/{QUARANTINE}.sql",)
    message = f"`{guarded.name}` has rules, but there is no table `{QUARANTINE}` for records that break them"
    return [Finding(message, guarded.source.statement.place(), facts, ways)]
