"""State names of what Flink plans: the columns of the statement that an operator comes from. No job runs here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyflink_jobs.cluster.state_mapping import carry_over
from pyflink_jobs.planning.compile.compiled_plan import SINK, SOURCE, Plan, compile_plan
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.compile.state_names import name_states
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

_EVENTS = """CREATE TABLE {name} (
  id BIGINT, k STRING, x DOUBLE, ms BIGINT, happened AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR happened AS happened
) WITH ('connector' = 'datagen')"""
_SINK = "CREATE TABLE `out` (`value` STRING) WITH ('connector' = 'print')"


def compiled(folder: Path, **views: tuple[str, str]) -> Plan:
    """Return the plan of a job that writes views; of each, the columns that are written and its query."""
    sql = {"sources/events": _EVENTS.format(name="events"), "sources/others": _EVENTS.format(name="others")}
    sql |= {"sinks/out": _SINK} | {
        f"features/{name}": f"CREATE VIEW {name} AS {view[1]}" for name, view in views.items()
    }
    sql["jobs/job"] = ";\n".join(
        f"INSERT INTO `out` SELECT CAST(ROW({columns}) AS STRING) FROM {name}" for name, (columns, _) in views.items()
    )
    project = make_project(folder, sql)
    environment = table_environment(project, {"table.plan.compile.catalog-objects": "IDENTIFIER"})
    planned = plan_job(declare(project).job("job"), environment)
    plan = compile_plan(planned)
    return replace(plan, names=name_states(plan, planned))


def names(plan: Plan) -> set[tuple[str, str]]:
    """Return type and name of each operator that keeps state, but for sources and sinks."""
    kept = [operator for operator in plan.operators.values() if operator.id in plan.names]
    return {(one.type, plan.names[one.id]) for one in kept if one.type not in (SOURCE, SINK)}


def test_an_operator_is_named_after_the_select_with_its_tables_and_columns(tmp_path: Path) -> None:
    over = "(PARTITION BY k ORDER BY happened RANGE BETWEEN INTERVAL '3' HOUR PRECEDING AND CURRENT ROW)"
    numbered = "SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY happened) AS nth FROM events"
    hours = "TABLE(TUMBLE(TABLE others, DESCRIPTOR(happened), INTERVAL '1' HOUR))"
    means = "SELECT k, id, AVG(x) AS mean FROM others GROUP BY k, id"
    within = "r.happened BETWEEN l.happened AND l.happened + INTERVAL '1' HOUR"
    plan = compiled(
        tmp_path,
        counted=("k, n, total", "SELECT k, COUNT(*) AS n, SUM(x) AS total FROM events group /* each */ by k"),
        longest=("n, most", "SELECT n, MAX(total) AS most FROM counted\nGROUP -- again\n  BY n"),
        users=("id", "SELECT DISTINCT id FROM others"),
        recent=("id, mean", f"SELECT id, AVG(x) OVER {over} AS mean FROM events"),
        hourly=("k, lowest", f"SELECT k, MIN(x) AS lowest FROM {hours} GROUP BY k, window_start, window_end"),
        earliest=("id, x", f"SELECT id, x FROM ({numbered}) WHERE nth = 1"),
        followed=("id, x", f"SELECT l.id, r.x FROM events AS l JOIN others AS r ON l.id = r.id AND {within}"),
        matched=("k, n", "SELECT l.k, r.n FROM others AS l JOIN counted AS r ON l.k = r.k"),
        nested=("k, most", f"SELECT k, MAX(mean) AS most FROM ({means}) GROUP BY k"),
    )
    assert names(plan) == {
        ("group-aggregate", "`n`, `total` (sql/features/counted.sql)"),
        ("group-aggregate", "`most` (sql/features/longest.sql)"),
        ("group-aggregate", "`users` (sql/features/users.sql)"),
        ("over-aggregate", "`mean` (sql/features/recent.sql)"),
        ("global-window-aggregate", "`lowest` (sql/features/hourly.sql)"),
        ("deduplicate", "`earliest` (sql/features/earliest.sql)"),
        ("interval-join", "join with `others` (sql/features/followed.sql)"),
        ("join", "join with `counted` (sql/features/matched.sql)"),
        ("group-aggregate", "`mean` (sql/features/nested.sql)"),
        ("group-aggregate", "`most` (sql/features/nested.sql)"),
    }


def test_a_plan_is_the_same_each_time_and_after_an_edit_the_lost_state_is_named(tmp_path: Path) -> None:
    query = "SELECT k, COUNT(*) AS n, {total} AS total FROM events GROUP BY k"
    old = compiled(tmp_path / "old", counted=("k, n, total", query.format(total="SUM(x)")))
    new = compiled(tmp_path / "new", counted=("k, n, total", query.format(total="SUM(x + 1)")))
    again = compiled(tmp_path / "old", counted=("k, n, total", query.format(total="SUM(x)")))
    assert again.digest == old.digest != new.digest
    _, outcomes = carry_over(old, new)
    lost = [outcome.name for outcome in outcomes if outcome.word == "loses"]
    assert lost == ["`n`, `total` (sql/features/counted.sql)"]
    assert all(outcome.word != "new" for outcome in outcomes)
