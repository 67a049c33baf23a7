"""`python.execution-mode: thread`: what `check` says of what cannot run in the JVM, and what a plan has of what can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.planning.compile.explanation import explain_job
from pyflink_jobs.planning.compile.plan import check_plans
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.interpreter import EXECUTION_MODE
from pyflink_jobs.running.environment import table_environment
from tests.monitored_project import monitored_project
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

THREAD = {EXECUTION_MODE: "thread"}
NAMES = {kind: kind for kind in ("events", "scored", "drift", "alerts")}
FUNCTIONS = """from pyflink.table.udf import udf

@udf(result_type="FLOAT", func_type="pandas")
def many(x):
    return 2 * x

@udf(result_type="FLOAT")
def twice(x):
    return 2 * x
"""


def findings(project: Project, options: dict[str, str]) -> list[str]:
    declarations = declare(project)
    found = declarations.findings or check_plans(declarations, table_environment(project, options))
    return [str(finding) for finding in found]


def test_a_monitor_counts_behind_the_scores_which_are_computed_once(tmp_path: Path) -> None:
    project = monitored_project(tmp_path, "localhost:1", NAMES)
    assert findings(project, THREAD) == []
    plan = explain_job(declare(project).job("score"), table_environment(project, THREAD)).plan
    assert plan.count("score_m(") == plan.count("ride_m(") == 1
    lines = [line for line in plan.splitlines() if "score_m(" in line or "ride_m(" in line]
    assert ["PythonCalc(" in line for line in lines] == [True, True], "an operator each"


@pytest.fixture
def own_functions(tmp_path: Path) -> Project:
    columns = "x FLOAT, y FLOAT, z FLOAT"
    project = make_project(
        tmp_path,
        {
            "sources/events": f"CREATE TABLE events ({columns}) WITH ('connector' = 'datagen')",
            "features/twice": "CREATE FUNCTION twice AS 'functions.mine.twice' LANGUAGE PYTHON",
            "models/m": f"CREATE MODEL m INPUT ({columns}) OUTPUT (s FLOAT) WITH ('provider' = 'onnx')",
            "sinks/scored": "CREATE TABLE scored (s FLOAT) WITH ('connector' = 'blackhole')",
            "jobs/score": "INSERT INTO scored SELECT s FROM ML_PREDICT("
            "(SELECT twice(x) AS x, y, z FROM events), MODEL m, DESCRIPTOR(x, y, z))",
        },
    )
    add_model(project, "m", "linear")
    (project.root / "functions").mkdir()
    (project.root / "functions" / "mine.py").write_text(FUNCTIONS)
    return project


def test_a_users_function_runs_there_too_if_it_is_of_one_value(own_functions: Project) -> None:
    assert findings(own_functions, THREAD) == []
    file = own_functions.sql / "features" / "twice.sql"
    file.write_text(file.read_text().replace("mine.twice", "mine.many"))
    assert findings(own_functions, {}) == []
    [found, *_] = findings(own_functions, THREAD)
    assert found.startswith(
        "sql/features/twice.sql:1:26: function `many` is vectorised, and python.execution-mode is thread: rows would "
        "wait for its batches\n"
    )
    assert "write it for one value: @udf without func_type='pandas'" in found


def test_numbers_are_wide_on_their_way_into_the_jvm_and_back(own_functions: Project) -> None:
    """Flink 2.3 fails on a NULL of FLOAT there."""
    job = declare(own_functions).job("score")
    in_jvm, in_worker = (explain_job(job, table_environment(own_functions, mode)).sql for mode in (THREAD, {}))
    assert "CAST(CAST(`y` AS FLOAT) AS DOUBLE)" in in_jvm
    assert "CAST(`_score`.`s` AS FLOAT) AS `s`" in in_jvm
    assert "AS DOUBLE" not in in_worker
    assert "CAST(`_score`" not in in_worker
