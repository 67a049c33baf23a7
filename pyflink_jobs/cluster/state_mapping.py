"""Map state between plans: operators of the new plan get the ids of the old operators whose state they continue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from pyflink_jobs.planning.compile.compiled_plan import SINK, SOURCE, Plan, row_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.planning.compile.compiled_plan import Operator

__all__ = ["StateOutcome", "carry_over"]


@dataclass(frozen=True)
class StateOutcome:
    """What happens to a state: `word` is "keeps", "loses" or "new", `name` that of the state, `why` the reason."""

    word: str
    name: str
    why: str = ""


def carry_over(old: Plan, new: Plan) -> tuple[Plan, list[StateOutcome]]:
    """Return the new plan with the ids of the old one's state, and what happens to each state.

    An operator keeps its state if it does the same to rows of the same columns; a source or sink if its table is at the
    same place. All others start empty: the state of another operator would give wrong results.
    """
    ids = _pairs(old.histories, new.histories)
    free = [o for o in old.operators.values() if o.keeps_state and o.id not in ids.values()]
    states = {o.id: old.state(o) for o in free}
    wanted = {o.id: new.state(o) for o in new.operators.values() if o.keeps_state and o.id not in ids}
    ids |= _pairs(states, wanted)
    numbers = dict(ids)
    for number in new.operators:
        if number not in ids:  # its number must not be that of an old operator with state
            numbers[number] = _free(number, {*old.operators, *numbers.values()})
    return new.renumbered(numbers), [*_outcomes(old, new, ids)]


def _free(number: int, taken: set[int]) -> int:
    return next(candidate for candidate in count(number) if candidate not in taken)


def _pairs(old: dict[int, str], new: dict[int, str]) -> dict[int, int]:
    """Map operators of the new plan to old ones of the same digest: first to first, second to second."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for number, digest in old.items():
        waiting[digest].append(number)
    return {number: waiting[digest].pop(0) for number, digest in new.items() if waiting[digest]}


def _outcomes(old: Plan, new: Plan, ids: dict[int, int]) -> Iterable[StateOutcome]:
    kept = set(ids.values())
    lost = [operator for operator in _keepers(old) if operator.id not in kept]
    for operator in _keepers(new):
        name = new.names[operator.id]
        if operator.id in ids:
            same = new.histories[operator.id] == old.histories[ids[operator.id]]
            changed = operator.type not in (SOURCE, SINK) and not same
            yield StateOutcome("keeps", name, "its input rows differ from before" if changed else "")
        else:
            alike = [one for one in lost if old.names[one.id] == name]
            before = next((one for one in alike if one.type == operator.type), next(iter(alike), None))
            if before is None:
                yield StateOutcome("new", name)
            else:
                lost.remove(before)
                yield StateOutcome("loses", name, _difference(old, before, new, operator))
    for operator in lost:
        yield StateOutcome("loses", old.names[operator.id], "the new job has no such operator")


def _keepers(plan: Plan) -> Iterable[Operator]:
    return (operator for operator in plan.operators.values() if operator.keeps_state)


def _difference(old: Plan, before: Operator, new: Plan, after: Operator) -> str:
    if before.type in (SOURCE, SINK):
        return f"it was at {old.tables.get(before.table)}, now at {new.tables.get(after.table)}"
    if before.type != after.type:
        return "it is kept in another way now"
    given = [
        [plan.operators[n].node["outputType"] for n in plan.inputs[one.id]]
        for plan, one in ((old, before), (new, after))
    ]
    if given[0] == given[1]:
        return "what it computes has changed"
    was, now = (_columns(kinds) for kinds in given)
    gone, come = sorted(was.keys() - now.keys()), sorted(now.keys() - was.keys())
    parts = [f"without {', '.join(gone)}"] if gone else []
    parts += [f"with {', '.join(come)}"] if come else []
    if parts:
        return f"its input is now {' and '.join(parts)}"
    others = [f"{name} is now {now[name]}, was {was[name]}" for name in was if name in now and was[name] != now[name]]
    return "; ".join(others) or "its input columns have another order"


def _columns(rows: list[Any]) -> dict[str, str]:
    """Return the types of an operator's input columns by name, without those that Flink has named."""
    columns = {name: kind for row in rows for name, kind in row_columns(row).items()}
    return {f"`{name}`": kind for name, kind in columns.items() if not name.startswith("$")}
