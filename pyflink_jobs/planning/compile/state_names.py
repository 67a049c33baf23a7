"""What an operator's state is to an analyst: a file, and columns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.compile.compiled_plan import SINK, SOURCE
from pyflink_jobs.planning.compile.queries import Queries

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.planning.compile.compiled_plan import Operator, Plan
    from pyflink_jobs.planning.compile.plan import PlannedJob

__all__ = ["name_states"]

_MOST_COLUMNS = 4  # named of one operator


def name_states(plan: Plan, planned: PlannedJob) -> dict[int, str]:
    """Return a name for each operator of a job's plan that keeps state."""
    statements = planned.job.statements
    places = {s.name: str(s.file) for s in statements if s.name and s.kind != "INSERT INTO"}
    added = _added(plan, planned)
    queries = Queries(plan, statements)
    names = {}
    for number, operator in plan.operators.items():
        if not operator.keeps_state:
            continue
        if operator.type == SOURCE:
            names[number] = f"place in the topic of `{operator.table}` ({places.get(operator.table, 'a source')})"
        elif operator.type == SINK:
            names[number] = f"transactions of `{operator.table}` ({places.get(operator.table, 'a sink')})"
        elif addition := added[number]:
            companion, model = addition
            what = "memory of past windows" if any(added[n] for n in plan.inputs[number]) else "windows in progress"
            names[number] = f"{companion} of `{model.name}`: {what} ({model.place.file})"
        else:
            names[number] = _feature(queries, operator)
    return names


def _added(plan: Plan, planned: PlannedJob) -> dict[int, tuple[str, ModelDefinition] | None]:
    """Return the companion and the model that each operator is added by: it calls their function, or reads such one."""
    owners = {
        function: (companion, view.model.definition)
        for number, view in enumerate(planned.views, 1)
        for companion, addition in view.model.additions.items()
        for function in addition.functions(number)
    }
    found: dict[int, tuple[str, ModelDefinition] | None] = {}
    for number, operator in plan.operators.items():
        own = (owners.get(function) for function in operator.functions)
        below = (found[name] for name in plan.inputs[number])
        found[number] = next((owner for owner in (*own, *below) if owner), None)
    return found


def _feature(queries: Queries, operator: Operator) -> str:
    """Return the name of what SQL of the project keeps."""
    query = queries.of(operator)
    if query is None:
        return operator.type
    if operator.type.endswith("join"):
        what = "join with " + " and ".join(map(quoted, queries.joined(query, operator)))
    else:
        shown = (query.aggregates if operator.calls else []) or [query.statement.name or ""]
        what = ", ".join(map(quoted, shown[:_MOST_COLUMNS])) + (" ..." if shown[_MOST_COLUMNS:] else "")
    return f"{what} ({query.statement.file})"
