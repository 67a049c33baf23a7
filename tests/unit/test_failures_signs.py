"""Which signs an expression can have, and which calls fail, on relations written by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.planning.failures.calls import SAFE, failing_calls
from pyflink_jobs.planning.failures.relation import Expression, Relation, read_relations
from pyflink_jobs.planning.failures.scope import Scope, negated, signs_of
from pyflink_jobs.planning.failures.signs import ANY

if TYPE_CHECKING:
    from pyflink_jobs.planning.failures.signs import Signs


def ref(number: int, kind: str = "INT") -> Expression:
    return Expression("$", kind, number)


def lit(value: float | str | None, kind: str = "INT") -> Expression:
    return Expression("'", kind, value)


def call(name: str, *operands: Expression, kind: str = "INT") -> Expression:
    return Expression(name, kind, None, operands)


A, B, C = ref(0), ref(1), ref(2)
SCAN = Relation("TableScan", ("a", "b", "c"), table="t")


def rules(table: str, column: str) -> Signs:
    """Let column a be 1 or more."""
    return frozenset({1}) if (table, column) == ("t", "a") else ANY


SCOPE = Scope((SCAN,), rules)


@pytest.mark.parametrize(
    ("expression", "zero"),
    [
        (lit(3), False),
        (lit(0), True),
        (lit(0.0, "DECIMAL(2, 1)"), True),
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
        (call("*", B, B), True),
        (call("+", call("*", B, B), lit(1)), False),
        (call("ABS", call("-", A)), False),
        (call("COUNT"), False),  # of an OVER window
        (call("COUNT", B), True),
        (call("GREATEST", B, lit(1)), False),
        (call("GREATEST", B, lit(-1)), True),
        (call("LEAST", B, lit(1)), True),
        (call("LEAST", B, lit(-1)), False),
        (call("LAG", A, lit(1), lit(0)), True),
        (call("CAST", A, kind="DOUBLE"), False),
        (call("CAST", call("/", A, lit(2), kind="DOUBLE"), kind="INT"), True),
        (call("/", A, A), True),  # 1 / 2 of integers
        (call("FOO", B), True),
    ],
)
def test_whether_an_expression_can_be_zero(expression: Expression, *, zero: bool) -> None:
    assert (0 in signs_of(expression, SCOPE)) is zero


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
        (call(">", call("CAST", B, kind="BIGINT"), lit(0)), False),
        (call(">", call("COALESCE", B, lit(0)), lit(0)), False),
        (call(">", call("COALESCE", B, lit(1)), lit(0)), True),  # where b is NULL there is no division
        (call("<>", call("CASE", call("=", A, lit(1)), B, lit(0)), lit(0)), False),
        (call("AND", call("=", A, lit(1)), call(">", B, lit(0))), False),
        (call("OR", call(">", B, lit(0)), call("<", B, lit(0))), False),
        (call("OR", call(">", B, lit(0)), call("=", A, lit(1))), True),
        (negated(call("=", B, lit(0))), False),
        (negated(call("OR", call("=", A, lit(1)), call("=", B, lit(0)))), False),
        (negated(call("AND", call("=", A, lit(1)), call("=", B, lit(0)))), True),
    ],
)
def test_conditions_exclude_zero(condition: Expression, *, zero: bool) -> None:
    assert (0 in signs_of(B, SCOPE.where(condition))) is zero


@pytest.mark.parametrize(
    ("condition", "zero"),
    [
        (call(">", B, C), False),
        (call("<", C, B), False),
        (call("<>", C, B), False),
        (call(">=", B, C), True),
        (call(">", B, lit(3)), True),
    ],
)
def test_a_comparison_of_two_columns_says_what_their_difference_is(condition: Expression, *, zero: bool) -> None:
    assert (0 in signs_of(call("-", B, C), SCOPE.where(condition))) is zero
    assert (0 in signs_of(call("-", B, lit(2)), SCOPE.where(call(">", B, lit(2))))) is False
    assert (0 in signs_of(call("-", B, lit(2)), SCOPE.where(call(">=", B, lit(2))))) is True


def _kinds(expression: Expression, relation: Relation) -> list[str]:
    project = Relation("Project", ("r",), (relation,), (expression,))
    return [found.kind for found in failing_calls(project, rules, frozenset()) if found.kind != SAFE]


def _divides(divisor: Expression, relation: Relation) -> bool:
    return bool(_kinds(call("/", lit(7), divisor), relation))


def test_a_filter_of_a_view_below_guards_a_division() -> None:
    kept = Relation("Filter", SCAN.columns, (SCAN,), (call("<>", B, lit(0)),))
    view = Relation("Project", ("n",), (kept,), (B,))
    assert not _divides(ref(0), view)
    assert not _divides(B, Relation("Sort", SCAN.columns, (kept,)))
    assert _divides(B, SCAN)
    join = Relation("Join", (*view.columns, *SCAN.columns), (view, SCAN), (call("=", ref(0), ref(1)),))
    assert not _divides(ref(0), join)
    assert _divides(ref(2), join)
    above = Relation("Project", ("r", "b"), (SCAN,), (call("/", lit(7), B), B))
    assert [found.kind for found in failing_calls(above, rules, frozenset())] == ["division"]


def test_a_group_has_rows_and_their_sum_may_be_zero() -> None:
    grouped = Relation("Aggregate", ("b", "n", "s", "m", "given"), (SCAN,), groups=(1,),
                       calls=(("COUNT", ()), ("SUM", (1,)), ("SUM", (0,)), ("COUNT", (1,))))  # fmt: skip
    assert not _divides(ref(1), grouped)
    assert _divides(ref(2), grouped)
    assert not _divides(ref(3), grouped)
    assert _divides(ref(4), grouped)
    # SUM(b) / COUNT(b): where the count is 0, the sum is NULL; in a view that reads them too.
    assert not _kinds(call("/", ref(2), ref(4)), grouped)
    view = Relation("Project", ("s", "given"), (grouped,), (ref(2), call("CAST", ref(4), kind="BIGINT")))
    assert not _kinds(call("/", ref(0), ref(1)), view)
    assert _kinds(call("/", ref(3), ref(4)), grouped) == ["division"]  # SUM(a) / COUNT(b)
    alone = Relation("Aggregate", ("n",), (SCAN,), calls=(("COUNT", ()),))
    assert _divides(ref(0), alone)


def test_flink_makes_a_case_of_a_sum_over_a_window() -> None:
    count = call("COUNT", B)
    total = call("CASE", call(">", count, lit(0)), call("$SUM0", B), lit(None))
    assert not _kinds(call("/", total, count), SCAN)
    assert _kinds(call("/", total, call("COUNT", C)), SCAN) == ["division"]


def test_doubles_are_infinite_and_fail_where_they_are_rounded() -> None:
    quotient = call("/", lit(1, "DOUBLE"), ref(1, "DOUBLE"), kind="DOUBLE")
    view = Relation("Project", ("q",), (SCAN,), (quotient,))
    of_view = ref(0, "DOUBLE")
    assert _kinds(quotient, SCAN) == []
    assert _kinds(call("ROUND", of_view, lit(1), kind="DOUBLE"), view) == ["not finite"]
    assert _kinds(call("CAST", of_view, kind="DECIMAL(5, 1)"), view) == ["not finite"]
    assert _kinds(call("FLOOR", of_view, kind="DOUBLE"), view) == []
    guarded = call("/", lit(1), call("NULLIF", B, lit(0)), kind="DOUBLE")
    assert _kinds(call("ROUND", guarded, kind="DOUBLE"), SCAN) == []


@pytest.mark.parametrize(
    ("base", "exponent", "undefined"),
    [
        (B, 0.5, True),
        (A, 0.5, False),
        (call("*", B, B), 0.5, False),
        (call("POWER", B, lit(2)), 0.5, False),
        (B, 2, False),
        (B, -1, True),
        (A, -1, False),
    ],
)
def test_roots_and_reciprocals(base: Expression, exponent: float, *, undefined: bool) -> None:
    power = call("POWER", base, lit(exponent, "DECIMAL(2, 1)"), kind="DOUBLE")
    assert bool(_kinds(call("ROUND", power, lit(2), kind="DOUBLE"), SCAN)) is undefined


def test_texts_that_a_rule_or_a_condition_checks() -> None:
    text = ref(1, "STRING")
    cast = Relation("Project", ("r",), (SCAN,), (call("CAST", text),))
    [found] = failing_calls(cast, rules, frozenset())
    assert (found.kind, found.source) == ("text", ("t", "b"))
    assert not [*failing_calls(cast, rules, frozenset({("t", "b")}))]
    guarded = call("CASE", call("REGEXP", text, lit("[0-9]+")), call("CAST", text), lit(None))
    assert _kinds(guarded, SCAN) == []
    assert _kinds(call("CAST", text, kind="VARCHAR(3)"), SCAN) == []
    assert _kinds(call("CAST", call("CAST", B, kind="STRING")), SCAN) == []
    view = Relation("Project", ("s",), (SCAN,), (call("CAST", B, kind="STRING"),))
    assert _kinds(call("CAST", ref(0, "STRING")), view) == []


def test_what_java_writes_is_read() -> None:
    known: list[Relation] = []
    scan = {"kind": "TableScan", "columns": ["a"], "inputs": [], "table": "t"}
    quotient = ["/", "INT", None, [["$", "INT", 0, []]]]
    project = {"kind": "Project", "columns": ["q"], "inputs": [0], "expressions": [quotient]}
    grouped = {"kind": "Aggregate", "columns": ["n"], "inputs": [1], "calls": [["COUNT", 0]]}
    first = read_relations(json.dumps([scan, project]), known)
    assert first == known
    assert first[1].inputs == (first[0],)
    assert first[1].expressions == (call("/", A),)
    [second] = read_relations(json.dumps([grouped]), known)
    assert (second.inputs, second.calls) == ((first[1],), (("COUNT", (0,)),))
