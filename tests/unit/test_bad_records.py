"""The demo's made-up departures: each breaks a rule of the repository's source, and nothing else is wrong with it."""

from __future__ import annotations

from pathlib import Path

from pyflink_jobs.demo.bad_records import BAD
from pyflink_jobs.planning.guarded import guard
from pyflink_jobs.project.sqlfile import split

DEPARTURES = Path(__file__).parents[2] / "sql" / "sources" / "departures.sql"


def test_what_is_wrong_is_a_column_that_has_a_rule() -> None:
    source, findings = guard(split(DEPARTURES.read_text(), DEPARTURES)[0])
    assert findings == []
    assert source is not None
    assert {column for wrong in BAD.values() for column in wrong} <= {rule.column for rule in source.rules}
