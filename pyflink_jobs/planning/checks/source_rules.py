"""Which sources are validated: read what a CREATE TABLE says of its records, and find what cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.parsing.create_table import SourceTable, read_source
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.formats import format_of
from pyflink_jobs.planning.rewrites.column_rules import Rule, read_rules
from pyflink_jobs.planning.rewrites.personal_data import read_pii
from pyflink_jobs.planning.rewrites.validated_source import MODE, ValidatedSource, can_be_checked
from pyflink_jobs.planning.system_tables import QUARANTINE, QUARANTINE_COLUMNS, missing_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["validated_sources"]

_MODES = ("full", "pointer", "off")


def validated_sources(
    sources: Iterable[Statement], names: set[str | None]
) -> tuple[dict[str, ValidatedSource], list[Finding]]:
    """Return the validated sources by name, and findings; `names` are those of all that the project declares.

    A source is validated if it says something of its records, or is JSON or Avro in Kafka beside a table `quarantine`.
    """
    validated, findings = {}, []
    for statement in sources:
        source = read_source(statement) if statement.kind == "CREATE TABLE" else None
        if source is None:
            continue
        found, problems = _validated(source, quarantined=QUARANTINE in names)
        findings += problems
        if found:
            validated[found.name] = found
    return validated, findings


def _validated(source: SourceTable, *, quarantined: bool) -> tuple[ValidatedSource | None, list[Finding]]:
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
    elif source.option("connector") in connector_of(source.values).versioned:
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
    silent = format_of(source.values).silent
    if validated.is_checked and source.option(silent).lower() == "true":
        place = source.options[silent].place
        ways = ("leave the option out: such records go to quarantine", f"write '{MODE}' = 'off'")
        findings.append(Finding(f"'{silent}' drops records without a trace", place, fixes=ways))
    return findings


def _without_table(validated: ValidatedSource) -> list[Finding]:
    """Find what needs a table `quarantine`."""
    if not validated.rules and validated.mode == "off":
        return []
    message, facts, ways = missing_table(
        QUARANTINE, f"`{validated.name}` has rules for its records", QUARANTINE_COLUMNS
    )
    return [Finding(message, validated.source.statement.place(), facts, ways)]
