"""What an upgrade keeps: state goes on only where an operator does the same to rows of the same columns."""

from __future__ import annotations

from dataclasses import replace

from pyflink_jobs.cluster.state_mapping import StateOutcome, carry_over
from pyflink_jobs.planning.compile.compiled_plan import Plan
from tests.unit.compiled_plans import EVENTS, calc, kafka, over, plan, python_group, sink, source, table_function


def job(days: int = 1, columns: tuple[str, ...] = ("k", "t"), projection: str = "", topic: str = "events") -> Plan:
    """Return a plan with lasting ids."""
    made = plan(
        source("k", "t", "n"),
        calc(2, *columns),
        over(3, *columns, days=days),
        calc(4, "k", projection=projection),
        sink(5, "k"),
        events=kafka(topic),
    )
    return made.with_lasting_ids()


def ids(made: Plan, kind: str) -> list[int]:
    return [operator.id for operator in made.operators.values() if operator.type == kind]


def words(outcomes: list[StateOutcome]) -> dict[str, tuple[str, str]]:
    return {outcome.name: (outcome.word, outcome.why) for outcome in outcomes}


def test_what_only_reads_the_state_may_change() -> None:
    old = job()
    new, outcomes = carry_over(old, job(projection="UPPER(k)"))
    assert ids(new, "over-aggregate") == ids(old, "over-aggregate")
    kept = ("keeps", "")
    assert words(outcomes)["over-aggregate"] == kept
    assert {word for word, _ in words(outcomes).values()} == {"keeps"}


def test_another_computation_loses_the_state() -> None:
    old = job()
    new, outcomes = carry_over(old, job(days=2))
    assert ids(new, "over-aggregate") != ids(old, "over-aggregate")
    assert words(outcomes)["over-aggregate"] == ("loses", "what it computes has changed")
    assert words(outcomes)["table-source-scan"] == ("keeps", "")


def test_other_columns_lose_the_state_and_are_named() -> None:
    _, outcomes = carry_over(job(), job(columns=("k", "n")))
    assert words(outcomes)["over-aggregate"] == ("loses", "its input is now without `t` and with `n`")
    _, outcomes = carry_over(job(), job(columns=("t", "k")))
    assert words(outcomes)["over-aggregate"] == ("loses", "its input columns have another order")


def test_another_type_loses_the_state_and_is_named() -> None:
    new = job()
    other = Plan(
        new.text.replace('"name": "t", "fieldType": "BIGINT"', '"name": "t", "fieldType": "INT"'), new.tables, {}
    )
    _, outcomes = carry_over(new, replace(other, names=new.names).with_lasting_ids())
    lost = [outcome for outcome in outcomes if outcome.word == "loses"]
    assert [(outcome.name, outcome.why) for outcome in lost] == [("over-aggregate", "`t` is now INT, was BIGINT")]


def test_another_topic_loses_the_place_and_mixes_what_is_in_progress() -> None:
    carried, outcomes = carry_over(job(), job(topic="flights"))
    assert words(outcomes)["table-source-scan"] == ("loses", f"it was at {EVENTS}, now at {kafka('flights')}")
    assert words(outcomes)["over-aggregate"] == ("keeps", "its input rows differ from before")
    assert len(carried.operators) == 5


def test_operators_that_come_and_go() -> None:
    small = plan(source("k", "t"), sink(2, "k", "t")).with_lasting_ids()
    large = plan(source("k", "t"), over(2, "k", "t"), sink(3, "k", "t")).with_lasting_ids()
    assert words(carry_over(small, large)[1])["over-aggregate"] == ("new", "")
    gone = words(carry_over(large, small)[1])["over-aggregate"]
    assert gone == ("loses", "the new job has no such operator")


def test_an_operator_never_comes_upon_the_state_of_another_by_its_number() -> None:
    """The old plan has an id, 7, where the new one counts an operator that is no heir of it."""
    old = plan(source("k", number=1), over(7, "k"), sink(8, "k"))
    new = plan(source("k", number=1), calc(7, "k"), over(9, "k", days=2), sink(8, "k"))
    carried, _ = carry_over(old, new)
    assert 7 not in carried.operators
    assert ids(carried, "sink") == [8]
    assert len(carried.operators) == 4


def test_an_upgrade_says_that_drift_begins_anew_where_its_state_was_in_python() -> None:
    memory = "drift of `m`: memory of past windows (sql/models/m.sql)"
    old = plan(source("k", number=1), python_group(2, "k"), sink(3, "k"))
    new = plan(source("k", number=1), table_function(2, "k", call={"systemName": "gather_m_1"}), sink(3, "k"))
    both = [replace(made, names={**made.names, 2: memory}).with_lasting_ids() for made in (old, new)]
    carried, outcomes = carry_over(*both)
    assert words(outcomes)[memory] == ("loses", "it is kept in another way now")
    assert not {*ids(carried, "process-table-function")} & {*both[0].operators}
