"""The columns that an ML_PREDICT call passes to a model, compared with the types that the model expects.

A number is converted to the model's type, and rows whose value has no representation there are refused. Where the
types show that this is to be expected, a finding says so before the job starts: whole numbers of a wider type, and
numbers that may have a fraction, for an integer.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.planning.rewrites.column_rules import Numbers
from udfs.scoring.arguments import INTEGERS, decimal_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.parsing.column import Column
    from pyflink_jobs.parsing.ml_predict import Call, Name
    from pyflink_jobs.planning.checks.origin import Origins, SourceValue
    from pyflink_jobs.planning.declarations import Model

__all__ = ["check_columns", "check_known_columns"]

_NUMBERS = (*INTEGERS, "FLOAT", "DOUBLE", "DECIMAL")
_LARGEST = {"TINYINT": 2**7, "SMALLINT": 2**15, "INT": 2**31, "BIGINT": 2**63}


def check_columns(call: Call, model: Model, schema: Mapping[str, str], shown: str, origins: Origins) -> list[Finding]:
    """Compare the columns that a call names with what it reads: are they there, and can they be INPUT's types.

    `schema` has the types of what the call reads, `shown` is its name in findings.
    """
    findings = []
    for column, wanted in zip(call.columns, model.definition.inputs, strict=True):
        found = schema.get(column.text)
        if found is None:
            facts = (f"its columns: {', '.join(schema)}",)
            ways = did_you_mean(column.text, schema, f"add the column to {shown}")
            findings.append(Finding(f"{shown} has no column `{column.text}`", column.place, facts, ways))
        else:
            known = _origin(call, column, origins)
            findings += _compare(column, found.removesuffix(" NOT NULL"), wanted, model, known)
    return findings


def check_known_columns(call: Call, model: Model, origins: Origins) -> list[Finding]:
    """Do the same for the columns whose type the SQL says, without Flink."""
    findings = []
    for column, wanted in zip(call.columns, model.definition.inputs, strict=False):
        known = _origin(call, column, origins)
        if known:
            findings += _compare(column, known.type, wanted, model, known)
    return findings


def _origin(call: Call, column: Name, origins: Origins) -> SourceValue | None:
    source = call.table.text if call.table else call.query
    return origins.of(source, column.text) if source else None


def _compare(column: Name, found: str, wanted: Column, model: Model, known: SourceValue | None) -> list[Finding]:
    name = model.definition.name
    facts = (f"{wanted.place.file}:{wanted.place.line}: {wanted.name} {wanted.type}",)
    if _kind(found) != _kind(wanted.type):
        message = f"column `{column.text}` is {found}, model `{name}` expects {wanted.type}"
        return [Finding(message, column.place, facts, ("cast or encode it in its feature file",))]
    if wanted.type not in INTEGERS:
        return []
    lost = _lost(found, wanted.type, known.numbers if known else Numbers())
    if not lost:
        return []
    message = f"column `{column.text}` is {found}, model `{name}` expects {wanted.type}: {lost} would be refused"
    ways = [f"cast it in its feature file: CAST(`{column.text}` AS {wanted.type})"]
    if "fraction" in lost:
        ways[0] = f"round and cast it in its feature file: CAST(ROUND(`{column.text}`) AS {wanted.type})"
    if known and known.place:
        at = f"{known.place.file}:{known.place.line}"
        limit = _LARGEST[wanted.type]
        rule = "one of 1, 2, 3" if "fraction" in lost else f"range {-limit}..{limit - 1}"
        ways = [f"declare it {wanted.type} at {at}", f"give it a rule there: COMMENT '{rule}'", *ways]
    return [Finding(message, column.place, facts, tuple(ways))]


def _lost(found: str, wanted: str, numbers: Numbers) -> str:
    """Return which values of a type have no representation in an integer type, within `numbers`; "" for none."""
    digits = decimal_digits(found)
    whole = numbers.whole or found in INTEGERS or (digits is not None and digits[1] == 0)
    if not whole:
        return f"values with a fraction, or beyond {wanted},"
    largest = _LARGEST[wanted]
    widest = _LARGEST.get(found) or (Decimal(10) ** (digits[0] - digits[1]) if digits else None)
    low = numbers.low if numbers.low is not None else widest and -widest
    high = numbers.high if numbers.high is not None else widest and widest - 1
    fits = low is not None and high is not None and low >= -largest and high <= largest - 1
    return "" if fits else f"values beyond {-largest} to {largest - 1}"


def _kind(sql_type: str) -> str:
    """Return "number", "text", "boolean" or the type itself: within a kind, values are converted."""
    name = re.split(r"[( ]", sql_type, maxsplit=1)[0]
    kinds = {"BOOLEAN": "boolean", "STRING": "text", "VARCHAR": "text", "CHAR": "text"}
    return "number" if name in _NUMBERS else kinds.get(name, name)
