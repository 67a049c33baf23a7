"""Validated sources: valid rows are read on, all other records go to the table `quarantine`.

A table of another name reads everything, once, and a view of it says of each row why it is not valid. A view with the
source's name has the valid rows, so every statement that reads the source gets those alone. A job that scores also
gets an INSERT of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.formats import FORMAT_KEYS, format_of
from pyflink_jobs.planning.rewrites.column_rules import Rule
from pyflink_jobs.planning.rewrites.conditions import all_of
from pyflink_jobs.planning.rewrites.personal_data import pii_sql
from pyflink_jobs.planning.rewrites.time_units import unit_words
from pyflink_jobs.planning.system_tables import BEHIND, REASON, UNCHECKED

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceTable

__all__ = ["MODE", "NEAR_KEY", "ValidatedSource", "can_be_checked", "is_readable_log"]

MODE = "quarantine"
"""The option of a source that says what quarantine keeps of its records."""

NEAR_KEY = "near_key"
"""The function that names a key which differs from a column in capitals, or in what is no letter or digit."""

_OF_FORMAT = {"error": ("value.error", "STRING"), "record": ("value.record", "BYTES")}
"""Metadata columns of a checked format: their key, and their type."""

_EARLIEST = "1990-01-01"
_EARLIEST_MS = 631_152_000_000


def is_readable_log(table: SourceTable) -> bool:
    """Return whether a table's records are messages that commands can read: JSON in Kafka."""
    return _is_log(table) and format_of(table.values).readable


def can_be_checked(source: SourceTable) -> bool:
    """Return whether records that cannot be decoded can become rows as well."""
    return _is_log(source) and format_of(source.values).keeps_undecodable


def _is_log(table: SourceTable) -> bool:
    connector = connector_of(table.values)
    return connector.messages and table.option("connector") not in connector.versioned


@dataclass(frozen=True)
class ValidatedSource:
    """A source, the rules of its columns, what happens to personal data, and what quarantine keeps of its records.

    `mode` is "full", "pointer" or "off".
    """

    source: SourceTable
    rules: tuple[Rule, ...]
    personal: dict[str, str]
    mode: str

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.statement.name or ""

    @property
    def table(self) -> str:
        """The name of the table that reads everything."""
        return f"{self.name}{UNCHECKED}"

    @property
    def is_checked(self) -> bool:
        """Return whether records that cannot be decoded become rows as well."""
        return self.mode != "off" and can_be_checked(self.source)

    @property
    def metadata(self) -> dict[str, str]:
        """What is known of a record beside its columns: columns of `quarantine`, as SQL over the table."""
        # Flink takes a column for a key once: that of the source itself, where it has one.
        columns = {name: quoted(self.source.metadata(key) or f"_{name}") for name, (key, _) in self._keys.items()}
        if "topic" in columns and self.topic:
            columns["topic"] = literal(self.topic)  # what is known is not copied into each row
        return columns

    @property
    def _keys(self) -> dict[str, tuple[str, str]]:
        """The metadata columns that the table reads: their key, and their type."""
        known = {**connector_of(self.source.values).position, **_OF_FORMAT}
        return {n: k for n, k in known.items() if n != "record" or self.mode == "full"} if self.is_checked else {}

    @property
    def topic(self) -> str:
        """The name of the topic, stream or queue that it reads; "" where that is not one alone."""
        names = connector_of(self.source.values).names(self.source.values)
        return names[0] if len(names) == 1 else ""

    @property
    def place(self) -> tuple[str, str]:
        """The names of its columns that say which record a row is: partition and offset; "" for one it lacks."""
        return self.source.metadata("partition") or "", self.source.metadata("offset") or ""

    @property
    def position(self) -> tuple[str, ...]:
        """The names of the columns that say which record a row is: `place`, and of several topics the topic's."""
        return self.place if self.topic else (*self.place, self.source.metadata("topic") or "")

    @property
    def checks(self) -> tuple[Rule, ...]:
        """All that a valid row keeps, in the order in which quarantine names the reason; those of a reason together."""
        if self.mode == "off":
            return ()
        found = [Rule("", "`_error` IS NULL", self._error, "undecodable")] if self.is_checked else []
        found += map(self._with_near_key, self.rules) if self.names_keys else self.rules
        if self.source.time and self.is_checked:
            time = quoted(self.source.time)
            moment = f"CAST({time} AS TIMESTAMP_LTZ(3))"
            limits = f"TO_TIMESTAMP_LTZ({_EARLIEST_MS}, 3) AND {self.metadata['ingested_at']} + INTERVAL '1' DAY"
            words = literal(f", expected {_EARLIEST} to a day after its time in Kafka")
            shown = f"{literal(f'{self.source.time} is ')} || COALESCE(CAST({time} AS STRING), 'NULL') || {words}"
            if (unit := unit_words(self.source)) != "''":
                shown += f" || {unit}"
            holds = f"({time} IS NOT NULL AND {moment} BETWEEN {limits})"
            found.append(Rule(self.source.time, holds, shown, "invalid event time"))
            mark = f"CURRENT_WATERMARK({time})"
            words = f"{literal(f'{self.source.time} is ')} || CAST({time} AS STRING) || ', the watermark '"
            ahead = f"({mark} IS NULL OR {time} > {mark})"
            found.append(Rule(self.source.time, ahead, f"{words} || CAST({mark} AS STRING)", BEHIND))
        return tuple(found)

    @property
    def names_keys(self) -> bool:
        """Whether quarantine names the key that a record has in place of a required column's, written otherwise."""
        return "record" in self._keys and format_of(self.source.values).readable and any(r.needs for r in self.rules)

    def _with_near_key(self, rule: Rule) -> Rule:
        """Return a rule that names the near key; it is looked for in records that break the rule, and in no others."""
        if not rule.needs:
            return rule
        near = f"{NEAR_KEY}({self.metadata['record']}, {literal(rule.needs)})"
        return replace(rule, broken=f"{rule.broken} || COALESCE('; the record has the key ' || {near}, '')")

    @property
    def _error(self) -> str:
        """Return SQL for why a record could not be decoded, without what might be personal."""
        if not self.personal:
            return "`_error`"
        where = "COALESCE(REGEXP_EXTRACT(`_error`, 'at byte [0-9]+'), '')"
        return f"'cannot be decoded, and may have personal data ' || {where}"

    @property
    def table_sql(self) -> str:
        """The source's own CREATE TABLE with that name, and what is known of each record beside it; its lines stay.

        Invalid records are without effect on the watermark: it goes on as if they were not there.
        """
        source, text = self.source, self.source.statement.text
        edits = [(source.name.start, source.name.end, quoted(self.table))]
        if self.is_checked:
            columns = "".join(
                f", {column} {self._keys[name][1]} METADATA FROM '{self._keys[name][0]}' VIRTUAL"
                for name, column in self.metadata.items()
                if column == quoted(f"_{name}") and not source.metadata(self._keys[name][0])
            )
            edits.append((source.end, source.end, columns))
            edits += _options_of_checked_format(source)
            if source.watermark:
                start, end = source.watermark
                valid = [check for check in self.checks if check.reason != BEHIND]
                edits.append((start, end, f"CASE WHEN {_and(valid)} THEN {text[start:end]} END"))
        if MODE in source.options:
            edits.append((*_with_its_comma(source, MODE), ""))
        return _edited(text, edits)

    @property
    def checked(self) -> str:
        """The name of the view that says of each row why it is not valid."""
        return f"{self.name}_checked"

    @property
    def checked_sql(self) -> str:
        """All rows, with the first reason for which one is not valid.

        Conditions are nowhere negated: the planner makes `NOT x <= 9` an `x > 9`, and both are false of NaN.
        """
        reason = "CAST(NULL AS STRING)"
        for name, checks in reversed([(name, list(checks)) for name, checks in groupby(self.checks, _reason)]):
            reason = f"CASE WHEN {_and(checks)}\n  THEN {reason} ELSE {literal(name)} END"
        return f"SELECT *,\n  {reason} AS {quoted(REASON)}\nFROM {quoted(self.table)}"

    @property
    def view_sql(self) -> str:
        """The valid rows, with the source's own columns."""
        columns = ", ".join(
            pii_sql(column.name, self.personal.get(column.name, ""))
            for column in self.source.columns
            if self.personal.get(column.name) != "drop"
        )
        if not self.checks:
            return f"SELECT {columns}\nFROM {quoted(self.table)}"
        return f"SELECT {columns}\nFROM {quoted(self.checked)}\nWHERE {quoted(REASON)} IS NULL"


def _reason(check: Rule) -> str:
    return check.reason


def _and(checks: list[Rule]) -> str:
    return all_of([check.holds for check in checks])


def _options_of_checked_format(source: SourceTable) -> list[tuple[int, int, str]]:
    """Return the edits that make the options of Flink's format those of ours, and read committed records alone."""
    edits = []
    known = format_of(source.values)
    for key, option in source.options.items():
        if key in FORMAT_KEYS and option.value == known.name:
            edits.append((option.literal.start, option.literal.end, literal(known.checked)))
        elif key.startswith((f"{known.name}.", f"value.{known.name}.")):
            ours = key.replace(f"{known.name}.", f"{known.checked}.", 1)
            edits.append((option.key.start, option.key.end, literal(ours)))
    first = next(iter(source.options.values())).key.start
    for key, value in connector_of(source.values).committed.items():
        if key not in source.options:
            edits.append((first, first, f"{literal(key)} = {literal(value)}, "))
    return edits


def _with_its_comma(source: SourceTable, key: str) -> tuple[int, int]:
    """Return the offsets of an option, with the comma behind it, or that before the last one."""
    option = source.options[key]
    tokens = source.statement.tokens
    at = next(index for index, token in enumerate(tokens) if token.start == option.key.start)
    if tokens[at + 3].says(","):
        return option.key.start, tokens[at + 3].end
    before = tokens[at - 1]
    return (before.start if before.says(",") else option.key.start), option.literal.end


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    """Return a text with parts of it replaced; the edits do not overlap."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
