"""Which numbers an expression can be, on relations written by hand."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.planning.failures.calls import failing_calls
from pyflink_jobs.planning.failures.relation import Relation
from pyflink_jobs.planning.failures.values import ALL, Numbers, Scope, numbers_of

if TYPE_CHECKING:
    from pyflink_jobs.planning.failures.relation import Expression


def ref(number: int, kind: str = "INT") -> Expression:
    return {"kind": "INPUT_REF", "inputIndex": number, "type": kind}


def lit(value: float | str | None, kind: str = "INT NOT NULL") -> Expression:
    return {"kind": "LITERAL", "value": value, "type": kind}


def call(name: str, *operands: Expression, kind: str = "INT") -> Expression:
    return {"kind": "CALL", "internalName": f"${name}$1", "operands": list(operands), "type": kind}


def within(*ranges: tuple[str, float, str]) -> Expression:
    """Return what Calcite makes of comparisons of b: each range has a side, its limit, and whether it is open."""
    found = [{side: {"value": limit, "boundType": bound}} for side, limit, bound in ranges]
    return call("SEARCH", B, {"kind": "LITERAL", "sarg": {"ranges": found}})


A, B = ref(0), ref(1)
SCAN = Relation("TableScan", ("a", "b"), table="t")


def rules(table: str, column: str) -> Numbers:
    return Numbers(1, 9) if (table, column) == ("t", "a") else ALL


SCOPE = Scope((SCAN,), rules)


@pytest.mark.parametrize(
    ("expression", "zero"),
    [
        (lit(3), False),
        (lit(0), True),
        (lit("0.0", "DECIMAL(2, 1)"), True),
        (B, True),
        (A, False),  # its rule
        (call("NULLIF", B, lit(0)), False),
        (call("NULLIF", B, lit(1)), True),
        (call("CASE", call("=", B, lit(0)), lit(None), B), False),
        (call("CASE", call("=", B, lit(0)), lit(0), B), True),
        (call("IF", call(">", B, lit(0)), B, lit(1)), False),
        (call("CASE", call(">=", B, lit(0)), B, lit(1)), True),
        (call("COALESCE", B, lit(1)), True),
        (call("COALESCE", A, lit(1)), False),
        (call("+", A, lit(1)), False),
        (call("-", A, lit(1)), True),
        (call("-", lit(0), A), False),
        (call("*", A, A), False),
        (call("ABS", call("-", A)), False),
        (call("COUNT"), False),
        (call("COUNT", B), True),
        (call("GREATEST", B, lit(1)), False),
        (call("LEAST", B, lit(1)), True),
        (call("CAST", A, kind="DOUBLE"), False),
        (call("CAST", call("/", A, lit(2), kind="DOUBLE"), kind="INT"), True),
        (call("FOO", B), True),
    ],
)
def test_whether_an_expression_can_be_zero(expression: Expression, *, zero: bool) -> None:
    assert numbers_of(expression, SCOPE).has_zero is zero


@pytest.mark.parametrize(
    ("condition", "zero"),
    [
        (call("<>", B, lit(0)), False),
        (call("<>", lit(0), B), False),
        (call("<>", B, lit(1)), True),
        (call(">", B, lit(0)), False),
        (call("<", lit(0), B), False),
        (call(">=", B, lit(1)), False),
        (call("<", B, lit(0)), False),
        (call("=", B, lit(5)), False),
        (call("=", B, A), False),
        (call(">", B, A), False),
        (call("<", B, A), True),
        (call("AND", call("=", A, lit(1)), call(">", B, lit(0))), False),
        (call("OR", call(">", B, lit(0)), call("<", B, lit(0))), False),
        (call("OR", call(">", B, lit(0)), call("=", A, lit(1))), True),
        (call("NOT", call("=", B, lit(0))), False),
        (call("NOT", call("OR", call("=", A, lit(1)), call("=", B, lit(0)))), False),
        (call("NOT", call("AND", call("=", A, lit(1)), call("=", B, lit(0)))), True),
        (within(("lower", 1, "CLOSED")), False),
        (within(("lower", 0, "OPEN")), False),
        (within(("upper", 0, "OPEN"), ("lower", 0, "OPEN")), False),
        (within(("lower", 0, "CLOSED")), True),
    ],
)
def test_conditions_exclude_zero(condition: Expression, *, zero: bool) -> None:
    assert numbers_of(B, SCOPE.where(condition)).has_zero is zero


def _divides(divisor: Expression, relation: Relation) -> list[str]:
    project = Relation("Project", ("r",), (relation,), (call("/", lit(7), divisor),))
    return [found.kind for found in failing_calls(project, rules, frozenset())]


def test_a_filter_of_a_view_below_guards_a_division() -> None:
    kept = Relation("Filter", SCAN.columns, (SCAN,), condition=call("<>", B, lit(0)))
    view = Relation("Project", ("n",), (kept,), (B,))
    assert _divides(ref(0), view) == []
    assert _divides(B, Relation("Sort", SCAN.columns, (kept,))) == []
    assert _divides(B, SCAN) == ["division"]
    above = Relation("Project", ("r", "b"), (SCAN,), (call("/", lit(7), B), B))
    late = Relation("Filter", above.columns, (above,), condition=call("<>", ref(1), lit(0)))
    assert [found.kind for found in failing_calls(late, rules, frozenset())] == ["division"]


def test_a_group_has_rows_and_their_sum_may_be_zero() -> None:
    grouped = Relation("Aggregate", ("b", "n", "s", "m"), (SCAN,), groups=(1,),
                       calls=(("COUNT", ()), ("SUM", (1,)), ("SUM", (0,))))  # fmt: skip
    assert _divides(ref(1), grouped) == []
    assert _divides(ref(2), grouped) == ["division"]
    assert _divides(ref(3), grouped) == []
    alone = Relation("Aggregate", ("n",), (SCAN,), calls=(("COUNT", ()),))
    assert _divides(ref(0), alone) == ["division"]


def test_a_division_of_doubles_is_infinite_and_fails_where_it_is_rounded() -> None:
    quotient = call("/", lit(1, "DOUBLE"), ref(1, "DOUBLE"), kind="DOUBLE")
    view = Relation("Project", ("q",), (SCAN,), (quotient,))
    for text, kinds in (("ROUND", ["undefined"]), ("FLOOR", [])):
        project = Relation("Project", ("r",), (view,), (call(text, ref(0, "DOUBLE"), lit(1), kind="DOUBLE"),))
        assert [found.kind for found in failing_calls(project, rules, frozenset())] == kinds
    guarded = Relation("Project", ("q",), (SCAN,), (call("/", lit(1), call("NULLIF", B, lit(0)), kind="DOUBLE"),))
    project = Relation("Project", ("r",), (guarded,), (call("ROUND", ref(0, "DOUBLE"), kind="DOUBLE"),))
    assert not [*failing_calls(project, rules, frozenset())]


@pytest.mark.parametrize(
    ("base", "exponent", "undefined"),
    [
        (B, "0.5", True),
        (A, "0.5", False),
        (call("*", B, B), "0.5", False),
        (call("POWER", B, lit(2)), "0.5", False),
        (B, "2", False),
        (B, "-1", True),
        (A, "-1", False),
    ],
)
def test_roots_and_reciprocals(base: Expression, exponent: str, *, undefined: bool) -> None:
    power = call("POWER", base, lit(exponent, "DECIMAL(2, 1) NOT NULL"), kind="DOUBLE")
    project = Relation("Project", ("r",), (SCAN,), (call("ROUND", power, lit(2), kind="DOUBLE"),))
    assert bool([*failing_calls(project, rules, frozenset())]) is undefined


def test_texts_that_a_rule_or_a_condition_checks() -> None:
    text = ref(1, "VARCHAR(2147483647)")
    cast = Relation("Project", ("r",), (SCAN,), (call("CAST", text),))
    assert [found.kind for found in failing_calls(cast, rules, frozenset())] == ["text"]
    assert [found.sources for found in failing_calls(cast, rules, frozenset())] == [frozenset({("t", "b")})]
    assert not [*failing_calls(cast, rules, frozenset({("t", "b")}))]
    guarded = call("CASE", call("REGEXP", text, lit("[0-9]+")), call("CAST", text), lit(None))
    assert not [*failing_calls(Relation("Project", ("r",), (SCAN,), (guarded,)), rules, frozenset())]
    longer = Relation("Project", ("r",), (SCAN,), (call("CAST", text, kind="VARCHAR(3)"),))
    assert not [*failing_calls(longer, rules, frozenset())]


def test_numbers_without_limits() -> None:
    assert Numbers() == Numbers(-inf, inf)
    assert (Numbers(1, 2) | Numbers(-2, -1)).has_zero is False
