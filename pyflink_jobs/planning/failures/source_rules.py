"""What the rules of sources say of their columns' values."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.signs import ANY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.planning.failures.scope import Rules
    from pyflink_jobs.planning.failures.signs import Signs
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["checked_texts", "rules_of"]


def rules_of(validated: Mapping[str, ValidatedSource]) -> Rules:
    """Return a function from the names of a table and a column to the signs that its rules allow."""
    allowed: dict[tuple[str, str], Signs] = {}
    for source in _checking(validated):
        for rule in source.rules:
            low = Decimal(-1) if rule.numbers.low is None else rule.numbers.low
            high = Decimal(1) if rule.numbers.high is None else rule.numbers.high
            within = frozenset(sign for sign in ANY if (low < 0, low <= 0 <= high, high > 0)[sign + 1])
            at = (source.table, rule.column)
            allowed[at] = allowed.get(at, ANY) & within
    return lambda table, column: allowed.get((table, column), ANY)


def checked_texts(validated: Mapping[str, ValidatedSource]) -> frozenset[tuple[str, str]]:
    """Return the columns of texts, each with its table, whose form a rule checks: `pattern` or `one of`."""
    return frozenset(
        (source.table, rule.column) for source in _checking(validated) for rule in source.rules if rule.form
    )


def _checking(validated: Mapping[str, ValidatedSource]) -> list[ValidatedSource]:
    return [source for source in validated.values() if source.mode != "off"]
