from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import ContractError
from pyflink_jobs.planning.declare import declare
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.planning.declarations import Declarations

SQL = {
    "sources/events": "CREATE TABLE events (a FLOAT, b FLOAT) WITH ('connector' = 'datagen')",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/once": "CREATE TABLE once (a FLOAT)"
    " WITH ('connector' = 'kafka', 'sink.delivery-guarantee' = 'exactly-once')",
    "sinks/quarantine": "CREATE TABLE quarantine (reason STRING)"
    " WITH ('connector' = 'kafka', 'sink.delivery-guarantee' = 'exactly-once')",
    "sinks/more": "CREATE TABLE more (a FLOAT) WITH ('connector' = 'kafka')",
}
TWICE = "INSERT INTO once SELECT a FROM events;\nINSERT INTO `once` SELECT b FROM events"


def declared(folder: Path, job: str) -> Declarations:
    project = make_project(folder, {**SQL, "jobs/copy": job})
    add_model(project, "m", "linear")
    return declare(project)


def test_the_second_insert_into_an_exactly_once_table_is_refused(tmp_path: Path) -> None:
    declarations = declared(tmp_path, TWICE)
    (finding,) = declarations.findings
    assert str(finding).startswith("sql/jobs/copy.sql:2:1: a second INSERT into `once`, whose sink is exactly-once")
    assert "sql/jobs/copy.sql:1:1" in str(finding)
    assert "UNION ALL" in str(finding)
    with pytest.raises(ContractError, match="a second INSERT"):
        declarations.job("copy").refuse_findings()


@pytest.mark.parametrize(
    "job",
    [
        "INSERT INTO once SELECT a FROM events; INSERT INTO more SELECT a FROM events",
        "INSERT INTO more SELECT a FROM events; INSERT INTO more SELECT b FROM events",
        "INSERT INTO quarantine SELECT 'odd' FROM events",
    ],
)
def test_one_is_fine_and_so_are_two_where_nothing_is_committed(tmp_path: Path, job: str) -> None:
    assert declared(tmp_path, job).findings == []


def test_a_malformed_call_is_found_beside_it(tmp_path: Path) -> None:
    messages = [
        f.message
        for f in declared(tmp_path, f"{TWICE};\nINSERT INTO more SELECT y FROM ML_PREDICT(TABLE events)").findings
    ]
    assert "a second INSERT into `once`, whose sink is exactly-once" in messages
    assert len(messages) == 2


def test_a_job_that_scores_writes_to_quarantine_already(tmp_path: Path) -> None:
    scores = (
        "INSERT INTO more SELECT a FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, b));\n"
        "INSERT INTO quarantine SELECT 'odd' FROM events"
    )
    messages = [finding.message for finding in declared(tmp_path, scores).findings]
    assert "a second INSERT into `quarantine`, whose sink is exactly-once" in messages
