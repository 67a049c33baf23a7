from pathlib import Path

import pytest

from pyflink_jobs.errors import SqlError
from pyflink_jobs.parsing.statements import Statement, split
from pyflink_jobs.planning.dependencies import in_order, needed_by
from tests.command_line import run_python


def statements(sql: str) -> list[Statement]:
    return split(sql, Path("a.sql"))


SQL = """
CREATE VIEW c AS SELECT * FROM b JOIN `t` ON b.x = t.x;
CREATE VIEW b AS SELECT a.x AS c FROM a;
CREATE VIEW a AS SELECT x FROM t;
CREATE TABLE t (x INT, a INT, c INT);
CREATE TABLE unused (x INT) WITH ('topic' = 't');
CREATE TABLE like_t WITH ('topic' = 'b') LIKE t;
"""


def test_each_statement_comes_after_what_it_reads() -> None:
    # `b` has a column called c, which is a view's name as well: that makes no circle.
    names = [statement.name for statement in in_order(statements(SQL))]
    assert sorted(map(str, names)) == ["a", "b", "c", "like_t", "t", "unused"]
    for before, after in (("t", "a"), ("a", "b"), ("b", "c"), ("t", "c"), ("t", "like_t")):
        assert names.index(before) < names.index(after)


def test_a_computed_column_with_like_needs_no_other_table() -> None:
    names = [s.name for s in in_order(statements("CREATE VIEW b AS SELECT * FROM t; CREATE TABLE t (c AS a LIKE b)"))]
    assert names == ["t", "b"]


def test_only_what_a_job_needs() -> None:
    ordered = in_order(statements(SQL))
    (job,) = statements("INSERT INTO like_t SELECT * FROM b")
    assert {statement.name for statement in needed_by([job], ordered)} == {"like_t", "t", "a", "b"}


def test_the_order_is_the_same_in_each_process() -> None:
    """Sets of texts have another order in each process; a plan that is kept must fit the next one."""
    model = "CREATE MODEL m INPUT (x INT) OUTPUT (y INT) WITH ('monitor.time' = 't', 'quarantine' = 'full');"
    tables = "".join(f"CREATE TABLE {name} (x INT);" for name in ("drift", "alerts", "quarantine", "p", "q"))
    sql = f"{model}{tables}CREATE VIEW v AS SELECT * FROM p, q, m, t;{SQL}"
    program = f"""
from pathlib import Path
from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.dependencies import in_order
print([s.name for s in in_order(split({sql!r}, Path("a")))])
"""
    runs = [run_python(program, PYTHONHASHSEED=str(seed)).stdout for seed in range(1, 5)]
    assert len(set(runs)) == 1, runs
    assert "drift" in runs[0]


def test_a_circle_is_shown() -> None:
    with pytest.raises(SqlError, match="in a circle") as caught:
        in_order(statements("CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a"))
    assert "`a` reads `b`" in str(caught.value) or "`b` reads `a`" in str(caught.value)


def test_a_name_defined_twice() -> None:
    with pytest.raises(SqlError, match="`a` is defined twice") as caught:
        in_order(statements("CREATE VIEW a AS SELECT 1;\nCREATE VIEW a AS SELECT 2"))
    assert str(caught.value.findings[0].place) == "a.sql:2:1"
