"""Which sources have a guard: read what a CREATE TABLE says of its records, and find what cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.parsing.create_table import SourceTable, read_source
from pyflink_jobs.planning.companions.quarantine_sql import KNOWN_COLUMNS, QUARANTINE
from pyflink_jobs.planning.rewrites.column_rules import Rule, read_rules
from pyflink_jobs.planning.rewrites.personal_data import read_pii
from pyflink_jobs.planning.rewrites.validated_source import MODE, ValidatedSource, can_be_checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["validated_sources"]

_MODES = ("full", "pointer", "off")
_SILENT = "json.ignore-parse-errors"


def validated_sources(
    sources: Iterable[Statement], names: set[str | None]
) -> tuple[dict[str, ValidatedSource], list[Finding]]:
    """Return the validated sources by name, and findings; `names` are those of all that the project declares.

    A source has a guard if it says something of its records, or is JSON or Avro in Kafka beside a table `quarantine`.
    """
    validated, findings = {}, []
    for statement in sources:
        source = read_source(statement) if statement.kind == "CREATE TABLE" else None
        if source is None:
            continue
        found, problems = _guard(source, quarantined=QUARANTINE in names)
        findings += problems
        if found:
            validated[found.name] = found
    return validated, findings


def _guard(source: SourceTable, *, quarantined: bool) -> tuple[ValidatedSource | None, list[Finding]]:
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
    validated = ValidatedSource(source, tuple(rules), personal, mode)
    findings += _of_mode(validated) + ([] if quarantined else _without_table(validated))
    return (None if findings else validated), findings


def _default(source: SourceTable, personal: dict[str, str], *, quarantined: bool) -> str:
    if not quarantined:
        return "off"
    return "pointer" if personal or not can_be_checked(source) else "full"


def _of_mode(validated: ValidatedSource) -> list[Finding]:
    """Find options that cannot be kept."""
    source = validated.source
    findings = []
    ways: tuple[str, ...]
    if validated.mode not in _MODES:
        ways = did_you_mean(validated.mode, _MODES, f"write one of {', '.join(_MODES)}", fix="write '{}'")
        place = source.statement.place(source.options[MODE].literal.start)
        findings.append(Finding(f"there is no '{MODE}' = '{validated.mode}'", place, fixes=ways))
    if validated.mode == "full" and validated.personal:
        place = source.statement.place(source.options[MODE].literal.start)
        message = f"quarantine would keep the personal data of `{validated.name}` in the records' original bytes"
        ways = (f"write '{MODE}' = 'pointer'", "leave the option out")
        findings.append(Finding(message, place, (f"columns: {', '.join(validated.personal)}",), ways))
    if validated.is_checked and source.option(_SILENT).lower() == "true":
        place = source.options[_SILENT].place
        ways = ("leave the option out: such records go to quarantine", f"write '{MODE}' = 'off'")
        findings.append(Finding(f"'{_SILENT}' drops records without a trace", place, fixes=ways))
    return findings


def _without_table(validated: ValidatedSource) -> list[Finding]:
    """Find what needs a table `quarantine`."""
    if not validated.rules and validated.mode == "off":
        return []
    facts = (f"its columns may be: {', '.join(KNOWN_COLUMNS)}",)
    ways = (f"declare it in sql/sinks/{QUARANTINE}.sql",)
    message = f"`{validated.name}` has rules, but there is no table `{QUARANTINE}` for records that break them"
    return [Finding(message, validated.source.statement.place(), facts, ways)]
