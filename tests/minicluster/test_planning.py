"""What Flink says of a project's SQL: positions, columns, plans. No job runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.planning.compile.explanation import Explanation, explain_job
from pyflink_jobs.planning.compile.plan import Run, check_plans, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from tests.projects import add_model, make_project
from udfs.flink import scoring as flink

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from udfs.scoring.model import ModelSpec
    from udfs.scoring.rider import Rider

KAFKA = "'properties.bootstrap.servers' = 'localhost:1', 'scan.startup.mode' = 'earliest-offset'"
SQL = {
    "sources/events": """
        CREATE TABLE events (
          id STRING, `a b` FLOAT, b FLOAT, c INT, name STRING, ms BIGINT,
          happened AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR happened AS happened
        ) WITH ('connector' = 'datagen')""",
    "features/f": "CREATE VIEW f AS SELECT id, `a b`, b, c, name, happened FROM events",
    "models/m": "CREATE MODEL m INPUT (x FLOAT, y FLOAT, z FLOAT)\nOUTPUT (score DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/out": "CREATE TABLE `out` (id STRING, score DOUBLE, v STRING) WITH ('connector' = 'blackhole')",
    "sinks/counts": "CREATE TABLE counts (n BIGINT) WITH ('connector' = 'blackhole')",
    "jobs/score": """
        INSERT INTO `out`
        SELECT id, score, model_version
        FROM ML_PREDICT(TABLE f, MODEL m,
                        DESCRIPTOR(`a b`, b, c))""",
}


def project(folder: Path, **changes: str) -> Project:
    made = make_project(folder, {**SQL, **{name.replace("__", "/"): text for name, text in changes.items()}})
    add_model(made, "m", "linear")
    return made


def findings(made: Project) -> list[tuple[str, str]]:
    declarations = declare(made)
    found = declarations.findings or check_plans(declarations, table_environment(made))
    return [(str(f.place), f.message) for f in found]


def explain(made: Project, job: str = "score") -> Explanation:
    return explain_job(declare(made).job(job), table_environment(made))


def test_the_expanded_sql_is_readable(tmp_path: Path) -> None:
    assert (
        explain(project(tmp_path)).sql
        == """\
CREATE TEMPORARY VIEW `m_scored_1` AS
SELECT
  `id`,
  `score_m`(
    CAST(`a b` AS FLOAT),
    CAST(`b` AS FLOAT),
    CAST(`c` AS FLOAT)
  ) AS `_score`
FROM `f`;

CREATE TEMPORARY VIEW `m_predictions_1` AS
SELECT
  `id`,
  `_score`.`score` AS `score`,
  '1' AS `model_version`
FROM `m_scored_1`;

INSERT INTO `out`
        SELECT id, score, model_version
        FROM `m_predictions_1`;"""
    )


def test_every_insert_that_reads_a_model_shares_one_python_operator(tmp_path: Path) -> None:
    twice = (
        SQL["jobs/score"]
        + """;
        INSERT INTO counts SELECT COUNT(*) FROM (
          SELECT * FROM TABLE(ML_PREDICT(INPUT => TABLE f, MODEL => MODEL m, ARGS => DESCRIPTOR(`a b`, b, c)))
          WHERE score > 0.5)
        GROUP BY TUMBLE(happened, INTERVAL '1' MINUTE)"""
    )
    explanation = explain(project(tmp_path, jobs__score=twice))
    assert explanation.plan.count("Sink(") == 2
    assert explanation.python_operators == 1


def test_two_models_in_one_query_with_a_join(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        models__n="CREATE MODEL n INPUT (x FLOAT, y FLOAT, z FLOAT) OUTPUT (other DOUBLE) WITH ('provider' = 'onnx')",
        jobs__score="""INSERT INTO `out`
          SELECT l.id, l.score + r.other, r.model_version -- ML_PREDICT(
          FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(`a b`, b, c)) AS l
          JOIN (SELECT id, other, model_version, happened FROM ML_PREDICT(
                  (SELECT *, 'ML_PREDICT(TABLE f' AS text FROM f WHERE b > 0), MODEL n, DESCRIPTOR(b, b, c))) AS r
          ON l.id = r.id AND r.happened BETWEEN l.happened AND l.happened + INTERVAL '1' MINUTE""",
    )
    add_model(made, "n", "linear")
    assert explain(made).python_operators == 2


def test_a_view_that_scores(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        features__scored="CREATE VIEW scored AS SELECT * FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(`a b`, b, c))",
        jobs__score="INSERT INTO `out` SELECT id, score, model_version FROM scored WHERE score > 0",
    )
    assert findings(made) == []
    assert explain(made).python_operators == 1


def test_the_event_time_attribute_survives_scoring(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        jobs__score="""INSERT INTO counts SELECT COUNT(*)
          FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(`a b`, b, c))
          GROUP BY TUMBLE(happened, INTERVAL '1' MINUTE)""",
    )
    assert "GroupWindowAggregate" in explain(made).plan


SCORE = "INSERT INTO `out`\nSELECT id, {}\nFROM ML_PREDICT(TABLE {}, MODEL m,\n DESCRIPTOR(`a b`, {}))"


@pytest.mark.parametrize(
    ("file", "text", "place", "message"),
    [
        ("features/f", "CREATE VIEW f AS\n  SELECT id, nope FROM events", "features/f.sql:2:14", "no column `nope`"),
        (
            "features/f",
            "CREATE VIEW f AS\n  SELECT id FROMM events",
            "features/f.sql:2:19",
            "`events` is not expected here",
        ),
        (
            "features/f",
            "CREATE VIEW f AS SELECT *, 1 AS score FROM events",
            "models/m.sql:2:9",
            "OUTPUT column `score`",
        ),
        ("features/g", "CREATE VIEW g AS SELECT x FROM nowhere", "features/g.sql:1:32", "no table or view `nowhere`"),
        (
            "sources/events",
            "-- a\nCREATE TABLE events (\n id STRNG\n) WITH ('connector' = 'x')",
            "sources/events.sql:3:5",
            "STRNG",
        ),
        ("jobs/score", SCORE.format("scor, model_version", "f", "b, c"), "jobs/score.sql:2:12", "no column `scor`"),
        (
            "jobs/score",
            SCORE.format("model_version, score", "f", "b, c"),
            "jobs/score.sql:1:1",
            "column `score` of `out` is DOUBLE, and",
        ),
        (
            "jobs/score",
            SCORE.format("score, model_version", "ff", "b, c"),
            "jobs/score.sql:3:23",
            "there is no table or view `ff`",
        ),
        (
            "jobs/score",
            SCORE.format("score, model_version", "f", "bb, c"),
            "jobs/score.sql:4:20",
            "`f` has no column `bb`",
        ),
        ("jobs/score", SCORE.format("score, model_version", "f", "b, name"), "jobs/score.sql:4:23", "column `name` is"),
    ],
)
def test_a_mistake_is_found_where_it_is(tmp_path: Path, file: str, text: str, place: str, message: str) -> None:
    [(found_place, found_message)] = findings(project(tmp_path, **{file.replace("/", "__"): text}))
    assert found_place == f"sql/{place}"
    assert message in found_message


def test_findings_in_several_files_come_together(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        features__f="CREATE VIEW f AS SELECT nope FROM events",
        features__g="CREATE VIEW g AS SELECT FROM events",
    )
    assert sorted(place for place, _ in findings(made)) == ["sql/features/f.sql:1:25", "sql/features/g.sql:1:25"]


def test_a_bounded_run_lets_no_source_fall_idle(tmp_path: Path) -> None:
    events = SQL["sources/events"].replace("'datagen'", "'kafka', 'topic' = 'a', 'format' = 'json', " + KAFKA)
    made = project(tmp_path, sources__events=events)
    plans = {
        bounded: plan_job(
            declare(made).job("score"), table_environment(made), Run(bounded=bounded)
        ).statements.explain()
        for bounded in (False, True)
    }
    assert "idletimeout=[60000]" in plans[False]
    assert "watermark=[" in plans[True]
    assert "idletimeout" not in plans[True]


def test_a_stack_trace_is_kept_for_verbose_alone(tmp_path: Path) -> None:
    made = project(tmp_path, features__f="CREATE VIEW f AS SELECT nope FROM events")
    with pytest.raises(MillstreamError) as caught:
        explain(made)
    assert "\tat " not in str(caught.value)
    assert "\tat org.apache.flink" in caught.value.detail


@pytest.mark.parametrize("own_function", [False, True])
def test_beside_a_vectorised_function_of_the_users_own_a_model_takes_pandas_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_function: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    """Both may be in one worker, and how it makes columns is one for all its functions."""
    doubled = {
        "features__doubled": "CREATE FUNCTION doubled AS 'tests.vectorised.doubled' LANGUAGE PYTHON",
        "jobs__score": SQL["jobs/score"].replace("SELECT id, score", "SELECT id, doubled(score)"),
    }
    made = project(tmp_path, **(doubled if own_function else {}))
    asked: list[bool] = []
    scoring_function = flink.scoring_function

    def noting(spec: ModelSpec, riders: tuple[Rider, ...] = (), *, pandas: bool = True) -> Any:  # noqa: ANN401 - PyFlink's
        asked.append(pandas)
        return scoring_function(spec, riders, pandas=pandas)

    monkeypatch.setattr(flink, "scoring_function", noting)
    plan_job(declare(made).job("score"), table_environment(made))
    assert asked == [own_function]
