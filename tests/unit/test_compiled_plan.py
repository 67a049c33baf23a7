"""Ids of operators that keep state are made from what the state is, wherever and however the job was planned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.planning.compile.compiled_plan import Plan
from tests.unit.compiled_plans import calc, over, plan, sink, source, table_function

if TYPE_CHECKING:
    from typing import Any


def job(days: int = 1, projection: str = "") -> Plan:
    """Return a plan as Flink counts: events are counted twice in the same way, then written."""
    return plan(
        source("k", "t"),
        calc(2, "k", "t", projection=projection),
        over(3, "k", "t", days=days),
        calc(4, "k", "t"),
        over(5, "k", "t", days=days),
        sink(6, "k", "t"),
    )


def stateful(made: Plan) -> dict[int, str]:
    return {operator.id: operator.type for operator in made.operators.values() if operator.keeps_state}


def edges(made: Plan) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(made.text)["edges"]
    return found


@given(st.permutations(range(1, 7)), st.integers(0, 500))
def test_ids_do_not_depend_on_those_that_flink_gave(order: list[int], beyond: int) -> None:
    counted = job()
    other = counted.renumbered({number: beyond + to for number, to in zip(counted.operators, order, strict=True)})
    assert counted.with_lasting_ids().text == other.with_lasting_ids().text


def test_operators_of_equal_state_have_ids_of_their_own() -> None:
    lasting = job().with_lasting_ids()
    assert len({*lasting.operators}) == len(job().operators)
    assert [*stateful(lasting).values()].count("over-aggregate") == 2
    assert [*lasting.operators] == [n for edge in edges(lasting)[:1] for n in (edge["source"],)] + [
        edge["target"] for edge in edges(lasting)
    ]


def test_what_reads_or_feeds_the_state_does_not_change_its_id_and_what_it_is_does() -> None:
    ids = stateful(job().with_lasting_ids())
    assert stateful(job(projection="UPPER(k)").with_lasting_ids()) == ids
    changed = stateful(job(days=2).with_lasting_ids())
    assert {number for number in ids if number in changed} == {
        number for number, kind in ids.items() if kind != "over-aggregate"
    }


def test_a_plan_travels_as_text() -> None:
    made = job().with_lasting_ids()
    again = Plan.unpacked(made.packed())
    assert json.loads(again.text) == json.loads(made.text)
    assert (again.tables, again.functions, again.names) == (made.tables, made.functions, made.names)
    assert again.histories == made.histories
    assert len(made.packed()) < len(made.text)


def test_functions_count_by_what_they_do_and_not_by_name() -> None:
    text = plan(source("k"), over(2, "k")).text.replace('"days": 1', '"call": "`f_1`(k)"')
    other = text.replace("f_1", "f_2")
    first, second = Plan(text, {}, {"f_1": "digest"}), Plan(other, {}, {"f_2": "digest"})
    assert first.state(first.operators[2]) == second.state(second.operators[2])
    third = Plan(other, {}, {"f_2": "another"})
    assert first.state(first.operators[2]) != third.state(third.operators[2])


def test_a_table_function_of_the_job_keeps_state_under_a_lasting_name_and_flinks_own_keeps_none() -> None:
    own = table_function(2, "k", call={"systemName": "gather_m_1"})
    changelog = table_function(3, "k", call={"internalName": "$TO_CHANGELOG$1"})
    made = Plan(plan(source("k"), own, changelog, sink(4, "k")).text, {}, {"gather_m_1": "digest"})
    assert [*stateful(made).values()] == ["table-source-scan", "process-table-function", "sink"]
    assert made.operators[2].functions == ["gather_m_1"]
    lasting = made.with_lasting_ids()
    [number] = [n for n, kind in stateful(lasting).items() if kind == "process-table-function"]
    assert lasting.operators[number].node["uid"] == f"{number}_table-function"
    other = Plan(made.text.replace("gather_m_1", "gather_m_2"), {}, {"gather_m_2": "digest"})
    assert made.state(made.operators[2]) == other.state(other.operators[2])
    assert number in other.with_lasting_ids().operators
    changed = Plan(made.text, {}, {"gather_m_1": "another"})
    assert number not in changed.with_lasting_ids().operators
