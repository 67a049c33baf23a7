from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.errors import SqlError
from pyflink_jobs.parsing.ml_predict import expand, find_calls
from pyflink_jobs.parsing.statements import Statement, split

CALL = "ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a, b))"


def statement(sql: str) -> Statement:
    return split(sql, Path("job.sql"))[0]


@pytest.mark.parametrize(
    "call",
    [
        CALL,
        "ml_predict ( table f , model m , descriptor ( a , b ) )",
        "ML_PREDICT(INPUT => TABLE f, MODEL => MODEL m, ARGS => DESCRIPTOR(a, b))",
        "ML_PREDICT(ARGS => DESCRIPTOR(a, b), MODEL => MODEL m, INPUT => TABLE f)",
        "TABLE(ML_PREDICT(TABLE `f`, MODEL `m`, DESCRIPTOR(`a`, `b`)))",
        "TABLE ( ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a, b)) )",
        "ML_PREDICT(TABLE f, -- ML_PREDICT(\n  MODEL m, /* ) */\n  DESCRIPTOR(a, b))",
    ],
)
def test_every_way_to_write_a_call(call: str) -> None:
    (found,) = find_calls(statement(f"SELECT * FROM {call} WHERE x"))
    assert found.key == ("f", "m", ("a", "b"))


def test_only_the_call_is_replaced_and_what_follows_keeps_its_line_and_column() -> None:
    sql = "INSERT INTO t\nSELECT 'ML_PREDICT(' FROM ML_PREDICT(TABLE f, MODEL m,\n   DESCRIPTOR(a)) AS p WHERE x > 1"
    expanded = expand(statement(sql), lambda _: "m_predictions_1")
    assert expanded.split("\n")[0] == "INSERT INTO t"
    assert expanded.split("\n")[1] == "SELECT 'ML_PREDICT(' FROM `m_predictions_1`"
    assert expanded.split("\n")[2].index("AS p WHERE x > 1") == sql.split("\n")[2].index("AS p WHERE x > 1")


def test_several_calls_in_joins_and_sub_queries() -> None:
    sql = f"""INSERT INTO t SELECT * FROM {CALL} AS a
      JOIN (SELECT * FROM ML_PREDICT(TABLE g, MODEL n, DESCRIPTOR(c))) AS b ON a.id = b.id
      WHERE EXISTS (SELECT 1 FROM {CALL})"""
    calls = find_calls(statement(sql))
    assert [call.model.text for call in calls] == ["m", "n", "m"]
    assert calls[0].key == calls[2].key
    views = iter(["v1", "v2", "v3"])
    text = expand(statement(sql), lambda _: next(views))
    assert "ML_PREDICT" not in text
    assert [text.index(f"`v{i}`") for i in (3, 2, 1)] == sorted(text.index(f"`v{i}`") for i in (1, 2, 3))


def test_a_query_in_parentheses_may_hold_a_call_of_its_own() -> None:
    sql = f"SELECT * FROM ML_PREDICT((SELECT *, 1 AS c FROM {CALL}), MODEL n, DESCRIPTOR(c))"
    (outer,) = find_calls(statement(sql))
    assert outer.query is not None
    assert outer.query.text == f"SELECT *, 1 AS c FROM {CALL}"
    (inner,) = find_calls(outer.query)
    assert inner.key == ("f", "m", ("a", "b"))
    assert inner.place == statement(sql).place(sql.index("ML_PREDICT(TABLE f"))


def test_the_word_alone_is_no_call() -> None:
    sql = "SELECT ml_predict, `ML_PREDICT`, 'ML_PREDICT(' FROM t -- ML_PREDICT(TABLE f)"
    assert find_calls(statement(sql)) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a, b)", "never closed"),
        ("ML_PREDICT(TABLE f, MODEL m)", "third argument"),
        ("ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR())", "third argument"),
        ("ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a + 1))", "third argument"),
        ("ML_PREDICT(TABLE f, m, DESCRIPTOR(a))", "second argument"),
        ("ML_PREDICT(MODEL m, TABLE f, DESCRIPTOR(a))", "first argument"),
        ("ML_PREDICT(TABLE catalog.db.f, MODEL m, DESCRIPTOR(a))", "first argument"),
        ("ML_PREDICT(f(x), MODEL m, DESCRIPTOR(a))", "first argument"),
        ("ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a), MAP['async', 'true'])", "CONFIG"),
        ("ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a), CONFIG => MAP['async', 'true'])", "CONFIG"),
        ("ML_PREDICT(INPUT => TABLE f, INPUT => TABLE g, MODEL => MODEL m)", "INPUT"),
        ("t, LATERAL ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a))", "LATERAL"),
    ],
)
def test_a_call_that_cannot_be_expanded_is_reported_with_its_place(call: str, message: str) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        find_calls(statement(f"INSERT INTO t\nSELECT * FROM {call}"))
    assert caught.value.findings[0].place is not None
    assert caught.value.findings[0].place.line == 2
    assert caught.value.findings[0].fixes


def test_a_table_of_the_statements_own_with_is_refused() -> None:
    with pytest.raises(SqlError, match="own WITH defines") as caught:
        find_calls(statement("INSERT INTO t WITH f AS (SELECT 1 AS a)\nSELECT * FROM " + CALL))
    assert str(caught.value.findings[0].place) == "job.sql:2:32"


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(table=NAMES, model=NAMES, columns=st.lists(NAMES, min_size=1, max_size=4), comment=st.booleans())
def test_any_quoted_names_are_read_back(table: str, model: str, columns: list[str], comment: bool) -> None:  # noqa: FBT001 - hypothesis fills it
    quote = ["`" + name.replace("`", "``") + "`" for name in (table, model, *columns)]
    gap = " /* ) , ' */ " if comment else ""
    sql = f"SELECT * FROM ML_PREDICT({gap}TABLE {quote[0]},{gap} MODEL {quote[1]}, DESCRIPTOR({', '.join(quote[2:])}))"
    (call,) = find_calls(statement(sql))
    assert call.key == (table, model, tuple(columns))
    assert sql[call.start : call.end].startswith("ML_PREDICT(")
    assert call.end == len(sql)
