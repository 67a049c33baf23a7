"""What the rules' SQL says of values, against the same rules in Python; NaN and infinity are among them."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.checks.source_rules import validated_sources
from pyflink_jobs.planning.companions.quarantine_counter import create_counter
from pyflink_jobs.planning.companions.quarantine_sql import invalid_insert
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.running.minicluster import MiniCluster

TABLE = """CREATE TABLE t (
  n INT,
  f FLOAT COMMENT 'range -1.5..9',
  d DOUBLE COMMENT 'required; range 0..',
  i BIGINT COMMENT 'one of 1, 2, 3',
  p STRING COMMENT 'max length 3; pattern [A-Z]+',
  o STRING COMMENT 'required; one of a, it''s'
) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'quarantine' = 'pointer')"""
RULES: dict[str, Callable[[Any], bool]] = {
    "f": lambda f: f is None or -1.5 <= f <= 9,
    "d": lambda d: d is not None and d >= 0,
    "i": lambda i: i is None or i in (1, 2, 3),
    "p": lambda p: p is None or (len(p) <= 3 and re.fullmatch("[A-Z]+", p) is not None),
    "o": lambda o: o in ("a", "it's"),
}
VALID = {"f": 1.0, "d": 2.0, "i": 3, "p": "XY", "o": "a"}
VALUES: dict[str, list[Any]] = {
    "f": [None, -1.5, 9.0, 9.000001, -1.6, math.nan, math.inf, -math.inf, 0.0],
    "d": [None, 0.0, -0.0, -1e-300, 1e300, math.nan, math.inf, -math.inf],
    "i": [None, 0, 1, 3, 4, 2**62],
    "p": [None, "", "A", "ABC", "ABCD", "abc", "A\n", "\u00c4"],
    "o": [None, "a", "it's", "its", "A", ""],
}
ROWS = [{**VALID, column: value} for column, values in VALUES.items() for value in values]


def written(value: object) -> object:
    """Write what JSON has no number for as text, which Flink's own format reads."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("inf", "Infinity").replace("nan", "NaN")
    return value


def test_a_row_is_valid_if_it_keeps_every_rule(tmp_path: Path, cluster: MiniCluster) -> None:
    path = tmp_path / "rows.json"
    rows = [{"n": n, **{name: written(value) for name, value in row.items()}} for n, row in enumerate(ROWS)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    validated, findings = validated_sources(split(TABLE.format(path=path), Path("t.sql")), {"quarantine"})
    assert findings == []
    source = validated["t"]
    environment = table_environment(Project(tmp_path, Settings()), cluster.options, batch=True)
    environment.execute_sql(source.table_sql)
    environment.execute_sql(f"CREATE VIEW t_checked AS {source.checked_sql}")
    create_counter(environment, "t_checked", "t", ["contract"])
    insert = invalid_insert(source, "score", ["reason", "detail"])
    with environment.execute_sql(f"SELECT n FROM ({source.view_sql})").collect() as found:
        valid = {row[0] for row in found}
    with environment.execute_sql(f"{insert[insert.index('SELECT') :]}").collect() as found:
        broken = [tuple(row) for row in found]
    assert valid == {n for n, row in enumerate(ROWS) if all(rule(row[name]) for name, rule in RULES.items())}
    assert len(valid) + len(broken) == len(ROWS)
    assert {reason for reason, _ in broken} == {"contract"}
    details = sorted(detail for _, detail in broken)
    assert "f is NaN, expected -1.5 to 9" in details
    assert "p is ABCD, expected at most 3 characters" in details
    assert "d is NULL, expected a value" in details
    assert all(details)
