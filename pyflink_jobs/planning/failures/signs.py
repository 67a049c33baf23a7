"""Which signs numbers can have that are computed from others, or compared with them.

The signs are -1, 0 and 1, and `UNDEFINED` of NaN and infinite numbers that SQL computes; NULL has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "ABOVE",
    "ANY",
    "MIRRORED",
    "NONE",
    "NOT_BELOW",
    "OF_OPERANDS",
    "UNDEFINED",
    "ZERO",
    "Signs",
    "absolute",
    "compared_with",
    "product",
    "sign_of",
    "union",
]

Signs: TypeAlias = frozenset[int]

UNDEFINED = 2
ANY, NONE, ZERO, ABOVE, NOT_BELOW, NOT_ZERO = map(frozenset, ((-1, 0, 1), (), (0,), (1,), (0, 1), (-1, 1)))
MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""Comparisons, and each with its sides exchanged."""


def sign_of(value: str | float | None) -> Signs:
    """Return the sign of a literal."""
    if value is None:
        return NONE
    return frozenset({(value > 0) - (value < 0)}) if isinstance(value, int | float) else ANY


def union(found: Iterable[Signs]) -> Signs:
    """Return all signs that some sets have."""
    return NONE.union(*found)


def absolute(signs: Signs) -> Signs:
    """Return the signs of such numbers without theirs."""
    return frozenset(map(abs, signs))


def _minus(signs: Signs) -> Signs:
    return frozenset(sign if sign == UNDEFINED else -sign for sign in signs)


def _sum(one: Signs, other: Signs = ZERO) -> Signs:
    found = union(ANY if a * b < 0 else frozenset({a or b}) for a in one for b in other)
    return (found - {UNDEFINED}) | ((one | other) & {UNDEFINED})


def product(one: Signs, other: Signs) -> Signs:
    """Return the signs of products, and of quotients that are not 0."""
    return frozenset(UNDEFINED if UNDEFINED in (a, b) else a * b for a in one for b in other)


def _logarithm(*signs: Signs) -> Signs:
    return ANY if signs[-1] <= ABOVE else ANY | {UNDEFINED}


def _power(base: Signs, exponent: Signs, number: str | float | None) -> Signs:
    """Return the signs of a power: SQRT(x) is POWER(x, 0.5) to Flink, and NaN below 0."""
    whole = isinstance(number, int | float) and number % 1 == 0
    undefined = UNDEFINED in base | exponent or (-1 in base and not whole) or (0 in base and -1 in exponent)
    even = isinstance(number, int | float) and number % 2 == 0
    return (absolute(base) if even else ANY) | ({UNDEFINED} if undefined else NONE)


def _total(signs: Signs) -> Signs:
    """Return the signs of sums and means of such numbers."""
    return signs | ZERO if signs >= NOT_ZERO else signs


def _greatest(*given: Signs) -> Signs:
    lowest = max((min(signs) for signs in given if signs), default=-1)
    return frozenset(sign for sign in union(given) if sign >= lowest)


def _not_equal(first: Signs, second: Signs) -> Signs:
    return first - ZERO if second == ZERO else first


OF_OPERANDS: dict[str, Callable[..., Signs]] = {  # POWER gets the literal that its exponent is, too
    "+": _sum,
    "-": lambda one, other=None: _minus(one) if other is None else _sum(one, _minus(other)),
    "ABS": absolute,
    "NULLIF": _not_equal,
    "GREATEST": _greatest,
    "LEAST": lambda *given: _minus(_greatest(*map(_minus, given))),
    "POWER": _power,
    "EXP": lambda _: ABOVE,
    "COUNT": lambda *given: NOT_BELOW if given else ABOVE,  # of an OVER window, which has the row itself
    **dict.fromkeys(("CHAR_LENGTH", "CHARACTER_LENGTH", "CARDINALITY"), lambda _: NOT_BELOW),
    **dict.fromkeys(("SUM", "$SUM0", "AVG"), _total),
    **dict.fromkeys(("MIN", "MAX", "FIRST_VALUE", "LAST_VALUE", "SINGLE_VALUE"), lambda signs: signs),
    **dict.fromkeys(("LAG", "LEAD"), lambda signs, _offset=NONE, default=NONE: signs | default),
    **dict.fromkeys(("LN", "LOG", "LOG2", "LOG10"), _logarithm),
}


def compared_with(sign: str, other: Signs) -> Signs:
    """Return the signs of numbers that compare so with one of some others."""
    if sign == "=":
        return other
    if sign == "<>":
        return NOT_ZERO if other == ZERO else ANY
    if sign in ("<", "<="):
        return _minus(compared_with(MIRRORED[sign], _minus(other)))
    if sign == ">":
        return ABOVE if other <= NOT_BELOW else ANY
    return other if other <= ABOVE else NOT_BELOW if other <= NOT_BELOW else ANY
