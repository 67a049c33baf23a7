"""A monitor in the plan of a job: readable SQL, one scoring operator, findings with fixes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.planning.compile.compiled_plan import compile_plan
from pyflink_jobs.planning.compile.explanation import explain_job
from pyflink_jobs.planning.compile.plan import check_plans, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from tests.monitored_project import monitored_project

if TYPE_CHECKING:
    from pyflink_jobs.errors import Finding

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("monitored_job.sql")
NAMES = {kind: kind for kind in ("events", "scored", "drift", "alerts")}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return monitored_project(tmp_path, "localhost:1", NAMES)


def findings(project: Project) -> list[Finding]:
    declarations = declare(project)
    return declarations.findings or check_plans(declarations, table_environment(project))


def replace(project: Project, name: str, old: str, new: str) -> None:
    file = project.sql / f"{name}.sql"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_the_sql_of_a_monitor_is_readable(project: Project) -> None:
    explained = explain_job(declare(project).job("score"), table_environment(project))
    reference = re.search(r"'([0-9a-f]{12})' AS `reference`", explained.sql)
    assert reference is not None
    assert explained.sql.replace(reference[1], "<reference>") + "\n" == GOLDEN.read_text()


@pytest.mark.parametrize(("root", "sinks"), [(None, 3), (ROOT, 4)])
def test_one_operator_scores_for_all_inserts(root: Path | None, sinks: int, project: Project) -> None:
    """The second project is the repository's: its features come through two temporal joins, and it has a quarantine."""
    chosen = Project.find(root) if root else project
    plan = explain_job(declare(chosen).job("score"), table_environment(chosen)).plan
    operators = re.findall(r"Python\w+(?=\()", plan)
    assert operators == ["PythonCalc"] * 3, "score, compare, judge"
    assert len(re.findall(r"^Sink\(", plan, re.MULTILINE)) == sinks


def test_a_monitor_leaves_state_and_workers_as_flink_has_them(project: Project) -> None:
    """No operator keeps state in Python, so any state backend will do, and one worker a slot."""
    environment = table_environment(project)
    before = environment.get_config().get_configuration().to_dict()
    planned = plan_job(declare(project).job("score"), environment)
    after = environment.get_config().get_configuration().to_dict()
    assert {key for key in after if after[key] != before.get(key)} <= {"pipeline.name"}
    kept = {operator.type for operator in compile_plan(planned).operators.values() if operator.keeps_state}
    assert not {kind for kind in kept if "python" in kind}


PAIRS = """-- Two events of one place.
CREATE VIEW pairs AS
SELECT a.id, a.x, a.y, a.z, a.place, {time}
FROM events AS a JOIN events AS b ON a.id = b.id"""


def join(project: Project, time: str) -> None:
    (project.sql / "features").mkdir()
    (project.sql / "features" / "pairs.sql").write_text(PAIRS.format(time=time))
    (project.sql / "features" / "wide.sql").write_text("CREATE VIEW wide AS SELECT *, x + 1 AS more FROM pairs")
    replace(project, "jobs/score", "TABLE events", "TABLE wide")


def test_the_view_that_lost_event_time_is_named(project: Project) -> None:
    join(project, "CAST(a.happened AS TIMESTAMP_LTZ(3)) AS happened")
    (finding,) = findings(project)
    assert str(finding.place) == "sql/models/m.sql:3:3"
    assert finding.message.endswith("in `wide`, expected an event-time attribute: the view `pairs` has lost it")
    assert finding.facts[0].startswith("sql/features/pairs.sql:2: ")
    assert any("FOR SYSTEM_TIME AS OF" in way for way in finding.fixes)


def test_the_view_whose_join_cannot_keep_event_time_is_named(project: Project) -> None:
    join(project, "a.happened")
    (finding,) = findings(project)
    assert str(finding.place) == "sql/features/pairs.sql:2:1"
    assert finding.message == "a join in `pairs` loses event time, which a monitor behind it needs"
    assert any("FOR SYSTEM_TIME AS OF" in way for way in finding.fixes)


def test_columns_that_the_table_has_not_are_named(project: Project) -> None:
    replace(project, "models/m", "'happened'", "'hapened'")
    (finding,) = findings(project)
    assert (str(finding.place), finding.message) == ("sql/models/m.sql:3:3", "`events` has no column `hapened`")
    assert finding.fixes == ("write 'happened'",)


def test_a_missing_table_and_an_unknown_column_of_drift_are_named(project: Project) -> None:
    (project.sql / "sinks" / "drift.sql").unlink()
    replace(project, "sinks/alerts", "message STRING", "mesage STRING")
    first, second = findings(project)
    assert first.message == "model `m` is monitored, but there is no table `drift`"
    assert first.fixes == ("declare it in sql/sinks/drift.sql",)
    assert (str(second.place), second.message) == ("sql/sinks/alerts.sql:1:1", "table `alerts` gets no column `mesage`")
    assert second.fixes == ("write `message`",)


def test_a_column_of_another_type_is_reported_at_its_table(project: Project) -> None:
    replace(project, "sinks/alerts", "message STRING", "message INT")
    (finding,) = findings(project)
    assert finding.place is not None
    assert finding.place.file == Path("sql/sinks/alerts.sql")
    assert "message" in finding.message
