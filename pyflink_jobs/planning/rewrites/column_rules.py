"""The rules that a source's column keeps, from its COMMENT, as SQL.

    dep_delay FLOAT COMMENT 'minutes; required; range -120..2000'

A comment's parts are divided by semicolons. A part is a rule, or a description:

    required                 not NULL
    range A..B               a number from A to B; A or B may be left out
    one of a, b, c           one of these texts or numbers
    max length N             a text of N characters at most
    pattern REGEX            a regular expression that matches the whole text; it is the last part

NULL keeps every rule but `required`. A part `pii ...` is not a rule: see personal_data.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.parsing.column_comment import is_personal, parts
from pyflink_jobs.parsing.tokens import literal, quoted

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceColumn

__all__ = ["Numbers", "Rule", "read_rules"]

_USAGE = {
    "required": "required",
    "range": "range 0..100, range 0.. or range ..100",
    "one of": "one of a, b, c",
    "max length": "max length 20",
    "pattern": "pattern [A-Z]{3}",
}
_FIRST_WORDS = {name.split()[0]: name for name in _USAGE}
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"range\s+({_NUMBER})?\s*\.\.\s*({_NUMBER})?", re.IGNORECASE)
_LENGTH = re.compile(r"max\s+length\s+(\d+)", re.IGNORECASE)
_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Numbers:
    """What a rule leaves of a column's numbers: from `low` to `high`, None for no limit; `whole` means no fractions."""

    low: Decimal | None = None
    high: Decimal | None = None
    whole: bool = False

    def within(self, other: Numbers) -> Numbers:
        """Return what both leave."""
        low = max((limit for limit in (self.low, other.low) if limit is not None), default=None)
        high = min((limit for limit in (self.high, other.high) if limit is not None), default=None)
        return Numbers(low, high, self.whole or other.whole)


@dataclass(frozen=True)
class Rule:
    """What a valid row keeps: `holds` is SQL that is TRUE or FALSE, never NULL; `broken` is SQL for what was found.

    `reason` is what quarantine calls a record that breaks it; `numbers` what it leaves of numbers, `form` whether it
    says what a text looks like; `needs` the column that must not be NULL, "" for other rules.
    """

    column: str
    holds: str
    broken: str
    reason: str = "contract"
    numbers: Numbers = Numbers()
    form: bool = False
    needs: str = ""


def read_rules(column: SourceColumn) -> tuple[list[Rule], list[Finding]]:
    """Return a column's rules, and findings for parts that look like a rule and are none."""
    rules: list[Rule] = []
    findings: list[Finding] = []
    for part in parts(column.comment):
        word = part.split()[0].lower() if part else ""
        near = get_close_matches(word, _FIRST_WORDS, n=1, cutoff=0.8)
        if not near:
            continue
        name = _FIRST_WORDS[near[0]]
        found = _rule(column, name, part) if word == near[0] else "it is not a rule's word"
        if isinstance(found, Rule):
            rules.append(found)
        else:
            ways = (f"write `{_USAGE[name]}`", "begin a description with another word")
            findings.append(Finding(f"column `{column.name}`: `{part}`: {found}", column.place, fixes=ways))
    return rules, findings


def _rule(column: SourceColumn, name: str, part: str) -> Rule | str:
    """Return the rule that a part states, or what is wrong with it."""
    fits = {"range": column.is_number, "one of": column.is_number or column.is_text}
    if name != "required" and not fits.get(name, column.is_text):
        wanted = {"range": "numbers", "one of": "numbers and text"}.get(name, "text")
        return f"the column is {column.type or 'computed'}, the rule is for {wanted}"
    readers = {"range": _range, "one of": _one_of, "max length": _length, "pattern": _pattern}
    return readers.get(name, _required)(column, part)


def _required(column: SourceColumn, part: str) -> Rule | str:
    if part.lower() != "required":
        return "nothing may follow"
    words = literal(f"{column.name} is NULL, expected a value")
    return Rule(column.name, f"{quoted(column.name)} IS NOT NULL", words, needs=column.name if column.stored else "")


def _range(column: SourceColumn, part: str) -> Rule | str:
    found = _RANGE.fullmatch(part)
    if not found or found[1] is found[2] is None:
        return "two numbers are expected, or one"
    low, high = found.groups()
    if low and high and float(low) > float(high):
        return f"{low} is above {high}"
    name = quoted(column.name)
    # A comparison with NaN is false, so NaN is out of every range.
    limits = [f"{name} >= {low}" for low in (low,) if low] + [f"{name} <= {high}" for high in (high,) if high]
    words = f"{low or 'anything'} to {high}" if high else f"{low} or more"
    numbers = Numbers(Decimal(low) if low else None, Decimal(high) if high else None)
    return replace(_nullable(column, " AND ".join(limits), words), numbers=numbers)


def _one_of(column: SourceColumn, part: str) -> Rule | str:
    found = re.fullmatch(r"one\s+of\s+(.+)", part, re.IGNORECASE | re.DOTALL)
    values = [value.strip() for value in found[1].split(",")] if found else []
    if not values or not all(values):
        return "values with commas between them are expected"
    if column.is_number:
        wrong = [value for value in values if not re.fullmatch(_NUMBER, value)]
        if wrong:
            return f"{wrong[0]} is not a number"
        listed = ", ".join(values)
        decimals = [Decimal(value) for value in values]
        whole = all(number == number.to_integral_value() for number in decimals)
        numbers = Numbers(min(decimals), max(decimals), whole)
    else:
        listed = ", ".join(map(literal, values))
        numbers = Numbers()
    rule = _nullable(column, f"{quoted(column.name)} IN ({listed})", f"one of {', '.join(values)}")
    return replace(rule, numbers=numbers, form=True)


def _length(column: SourceColumn, part: str) -> Rule | str:
    found = _LENGTH.fullmatch(part)
    if not found:
        return "a number is expected"
    holds = f"CHAR_LENGTH({quoted(column.name)}) <= {found[1]}"
    return _nullable(column, holds, f"at most {found[1]} characters")


def _pattern(column: SourceColumn, part: str) -> Rule | str:
    pattern = part.partition(" ")[2].strip()
    try:
        re.compile(pattern)
    except re.error as error:
        return f"not a regular expression: {error}"
    whole = rf"\A(?:{pattern})\z"  # to `$`, a line's end behind the text would be none
    holds = f"REGEXP({quoted(column.name)}, {literal(whole)})"
    return replace(_nullable(column, holds, f"a text like {pattern}"), form=True)


def _nullable(column: SourceColumn, holds: str, words: str) -> Rule:
    name = quoted(column.name)
    shown = f"CAST({name} AS STRING)"
    if is_personal(column):
        shown = literal("a value")
    elif column.is_text:
        shown = f"SUBSTRING({name}, 1, {_LONGEST_SHOWN})"
    broken = f"{literal(f'{column.name} is ')} || {shown} || {literal(f', expected {words}')}"
    return Rule(column.name, f"({name} IS NULL OR ({holds}))", broken)
