"""Read the relations of a query out of Flink's planner, before it optimises them.

Calcite's classes are in a class loader of the planner's own, so they are asked through their objects. Expressions come
as the JSON of a compiled plan, a list of them at once: to ask for each by itself would take ten calls an operator.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyflink_jobs.planning.failures.relation import Relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.failures.relation import Expression

__all__ = ["read_relation"]

_SERDE = "org.apache.flink.table.planner.plan.nodes.exec.serde.CompiledPlanSerdeUtil"
_UNREAD: Expression = {"kind": "UNREAD"}


def read_relation(environment: TableEnvironment, text: str) -> Relation | None:
    """Return the relation of a SELECT, or of an INSERT's SELECT; None for one that cannot be planned by itself.

    That is a SELECT of a table that is only written, or of a view that has a finding already.
    """
    planner: Any = environment._j_tenv  # noqa: SLF001 - Python has no way to what is parsed
    try:
        operation = planner.getParser().parse(text)[0]
    except Exception:  # noqa: BLE001 - Py4J's
        return None
    if text.lstrip()[:6].upper() == "INSERT":
        operation = operation.getChild()
    return _read(operation.getCalciteTree(), _writer(planner.getPlanner()))


def _writer(planner: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - PyFlink ships no types
    """Return a function that makes JSON of Flink's, of one expression or a Java list."""
    from pyflink.java_gateway import get_gateway

    lang: Any = get_gateway().jvm.java.lang
    context = planner.createSerdeContext()
    types, given = get_gateway().new_array(lang.Class, 1), get_gateway().new_array(lang.Object, 1)
    types[0], given[0] = context.getClass(), context
    serde = context.getClass().getClassLoader().loadClass(_SERDE)
    writer = serde.getMethod("createJsonObjectWriter", types).invoke(None, given)
    return lambda what: json.loads(writer.writeValueAsString(what))


def _read(relation: Any, write: Callable[[Any], Any]) -> Relation:  # noqa: ANN401 - PyFlink ships no types
    kind = str(relation.getRelTypeName()).removeprefix("Logical")
    columns = tuple(relation.getRowType().getFieldNames())
    inputs = tuple(_read(each, write) for each in relation.getInputs())
    if kind == "Project":
        found = Relation(kind, columns, inputs, expressions=_expressions(relation.getProjects(), write))
        return inputs[0] if found.is_its_input else found
    if kind in ("Filter", "Join"):
        return Relation(kind, columns, inputs, condition=_expression(relation.getCondition(), write))
    if kind == "Aggregate":
        calls = tuple(_call(call) for call in relation.getAggCallList())
        return Relation(kind, columns, inputs, groups=tuple(relation.getGroupSet().asList()), calls=calls)
    if kind == "TableScan":
        return Relation(kind, columns, inputs, table=str([*relation.getTable().getQualifiedName()][-1]))
    return Relation(kind, columns, inputs)


def _call(call: Any) -> tuple[str, tuple[int, ...]]:  # noqa: ANN401 - PyFlink ships no types
    """Return the name and the arguments of an aggregate function; of one with FILTER no name."""
    return "" if call.hasFilter() else str(call.getAggregation().getName()), tuple(call.getArgList())


def _expressions(found: Any, write: Callable[[Any], Any]) -> tuple[Expression, ...]:  # noqa: ANN401 - Java's list
    try:
        return tuple(write(found))
    except Exception:  # noqa: BLE001 - Py4J's: one of them is of a kind that no plan has
        return tuple(_expression(each, write) for each in found)


def _expression(expression: Any, write: Callable[[Any], Any]) -> Expression:  # noqa: ANN401 - PyFlink ships no types
    try:
        read: Expression = write(expression)
    except Exception:  # noqa: BLE001 - Py4J's: a subquery, or a function of this session alone
        return _UNREAD
    return read
