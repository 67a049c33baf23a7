"""What an upgrade carries over: a new plan's operators get the ids of those of the old plan whose state they take."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from pyflink_jobs.planning.compile.compiled_plan import SINK, SOURCE, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.planning.compile.compiled_plan import Operator

__all__ = ["StateOutcome", "carry_over"]


@dataclass(frozen=True)
class StateOutcome:
    """What becomes of a state: `word` is "keeps", "loses" or "new", `name` what it is of, `why` says more."""

    word: str
    name: str
    why: str = ""


def carry_over(old: Plan, new: Plan) -> tuple[Plan, list[StateOutcome]]:
    """Return the new plan with ids by which it finds the old one's state, and what becomes of each state.

    State is kept where an operator does the same to rows of the same columns; a source's and a sink's where the table
    is at the same place. All else begins anew: to read another operator's state would give wrong results.
    """
    ids = _pairs(old.histories, new.histories)
    free = [o for o in old.operators.values() if o.keeps_state and o.id not in ids.values()]
    states = {o.id: old.state(o) for o in free}
    wanted = {o.id: new.state(o) for o in new.operators.values() if o.keeps_state and o.id not in ids}
    ids |= _pairs(states, wanted)
    numbers = dict(ids)
    for number in new.operators:
        if number not in ids:  # it must not come upon the state of an old operator by its number
            numbers[number] = _free(number, {*old.operators, *numbers.values()})
    return new.renumbered(numbers), [*_outcomes(old, new, ids)]


def _free(number: int, taken: set[int]) -> int:
    return next(candidate for candidate in count(number) if candidate not in taken)


def _pairs(old: dict[int, str], new: dict[int, str]) -> dict[int, int]:
    """Return for operators of the new plan one of the old that has the same digest: the first, the second, ..."""
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
            yield StateOutcome("keeps", name, "other rows than before come to it" if changed else "")
        else:
            before = next((one for one in lost if one.type == operator.type and old.names[one.id] == name), None)
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
        return f"its rows now come {' and '.join(parts)}"
    others = [f"{name} is now {now[name]}, was {was[name]}" for name in was if name in now and was[name] != now[name]]
    return "; ".join(others) or "its rows now come in another order"


def _columns(kinds: list[Any]) -> dict[str, str]:
    """Return the types of the columns that come to an operator by name, but for those that Flink has named."""
    fields = [field for kind in kinds if isinstance(kind, dict) for field in kind.get("fields", ())]
    return {f"`{one['name']}`": str(one.get("fieldType", "")) for one in fields if not one["name"].startswith("$")}
