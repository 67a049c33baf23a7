"""What the rules of sources say of their columns' values."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.values import ALL, Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.planning.failures.values import Rules
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["checked_texts", "rules_of"]


def rules_of(validated: Mapping[str, ValidatedSource]) -> Rules:
    """Return a function from the names of a table and a column to the numbers that its rules allow."""
    ranges: dict[tuple[str, str], Numbers] = {}
    for source in _checking(validated):
        for rule in source.rules:
            low, high = rule.numbers.low, rule.numbers.high
            at = (source.table, rule.column)
            allowed = Numbers(-inf if low is None else float(low), inf if high is None else float(high))
            ranges[at] = ranges.get(at, ALL) & allowed
    return lambda table, column: ranges.get((table, column), ALL)


def checked_texts(validated: Mapping[str, ValidatedSource]) -> frozenset[tuple[str, str]]:
    """Return the columns of texts, each with its table, whose form a rule checks: `pattern` or `one of`."""
    return frozenset(
        (source.table, rule.column) for source in _checking(validated) for rule in source.rules if rule.form
    )


def _checking(validated: Mapping[str, ValidatedSource]) -> list[ValidatedSource]:
    return [source for source in validated.values() if source.mode != "off"]
