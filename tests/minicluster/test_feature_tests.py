"""`millstream test` on a real MiniCluster: what passes, what fails and how it says so."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.cli import main
from pyflink_jobs.errors import FeatureTestError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.testkit.cases import make_cases
from pyflink_jobs.testkit.feature_file import read_feature_files
from pyflink_jobs.testkit.run import Outcome, run_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.running.minicluster import MiniCluster

_REPOSITORY = Path(__file__).parents[2]

_SQL = {
    "sources/readings.sql": """\
CREATE TABLE readings (
  sensor STRING,
  at_ms  BIGINT,
  level  FLOAT,
  taken AS TO_TIMESTAMP_LTZ(at_ms, 3),
  WATERMARK FOR taken AS taken - INTERVAL '10' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'readings', 'properties.bootstrap.servers' = 'nowhere:1', 'format' = 'json')
""",
    "sources/limits.sql": """\
CREATE TABLE limits (
  sensor STRING,
  since  TIMESTAMP_LTZ(3),
  most   DOUBLE,
  PRIMARY KEY (sensor) NOT ENFORCED,
  WATERMARK FOR since AS since
) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json')
""",
    "sources/anything.sql": """\
CREATE TABLE anything (
  s STRING, b BOOLEAN, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(9, 3),
  z TIMESTAMP_LTZ(3), t TIMESTAMP(6), born DATE, a ARRAY<INT>
) WITH ('connector' = 'kafka', 'topic' = 'anything', 'properties.bootstrap.servers' = 'nowhere:1', 'format' = 'json')
""",
    "sources/accounts.sql": """\
CREATE TABLE accounts (id STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'accounts', 'properties.bootstrap.servers' = 'nowhere:1',
      'key.format' = 'json', 'value.format' = 'json')
""",
    "features/per_minute.sql": """\
CREATE VIEW per_minute AS
SELECT sensor, window_start, COUNT(level) AS levels, AVG(CAST(level AS DOUBLE)) AS mean_level
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(taken), INTERVAL '1' MINUTE))
GROUP BY sensor, window_start, window_end
""",
    "features/totals.sql": "CREATE VIEW totals AS SELECT sensor, SUM(level) AS total FROM readings GROUP BY sensor",
    "features/over_limit.sql": """\
CREATE VIEW over_limit AS
SELECT r.sensor, r.taken, r.level > l.most AS above
FROM readings AS r LEFT JOIN limits FOR SYSTEM_TIME AS OF r.taken AS l ON r.sensor = l.sensor
""",
    "features/everything.sql": "CREATE VIEW everything AS SELECT * FROM anything",
    "features/numbers.sql": "CREATE VIEW numbers AS SELECT CAST(s AS INT) AS number FROM anything",
    "features/known_accounts.sql": "CREATE VIEW known_accounts AS SELECT id FROM accounts",
    "features/scored.sql": """\
CREATE VIEW scored AS
SELECT sensor, y FROM ML_PREDICT(TABLE levels, MODEL linear, DESCRIPTOR(a, b, c))
""",
    "models/linear.sql": """\
CREATE MODEL linear INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx')
""",
    "features/levels.sql": """\
CREATE VIEW levels AS SELECT sensor, level AS a, level * 2 AS b, level * 3 AS c FROM readings
""",
}

_RIGHT = """\
rows and their order in time:
  view: per_minute
  modes: [streaming, batch]
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
      - {sensor: b, at_ms: 2024-05-01T10:00:10Z}
      - {sensor: a, at_ms: 2024-05-01T10:00:07Z, level: 2}
      - {sensor: a, at_ms: 2024-05-01T10:00:08Z, level: null}
      - {sensor: a, at_ms: 2024-05-01T10:01:00Z, level: 5}
  expect:   # (1 + 2) / 2: NULL counts nowhere
    - {sensor: a, window_start: 2024-05-01T10:01:00, levels: 1, mean_level: 5}
    - {sensor: b, window_start: 2024-05-01T10:00:00, levels: 0, mean_level: null}
    - {sensor: a, window_start: 2024-05-01T10:00:00, levels: 2, mean_level: 1.5}
the table's own watermark closes a window at once:
  view: per_minute
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
      - {sensor: a, at_ms: 2024-05-01T10:01:10Z, level: 1}   # event time is 10:01:00
      - {sensor: a, at_ms: 2024-05-01T10:00:30Z, level: 1}
  expect: [{levels: 1}, {levels: 1}]
and a moment earlier does not:
  view: per_minute
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
      - {sensor: a, at_ms: 2024-05-01T10:01:09.998Z, level: 1}   # event time is 10:00:59.998
      - {sensor: a, at_ms: 2024-05-01T10:00:30Z, level: 1}
  expect: [{levels: 2}, {levels: 1}]
a given watermark rules in its place:
  view: per_minute
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
      - watermark: 2024-05-01T10:00:59.999Z
      - {sensor: a, at_ms: 2024-05-01T10:00:30Z, level: 1}
  expect: [{levels: 1}]
updates leave the last row:
  view: totals
  modes: [streaming, batch]
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 0.5}
      - {sensor: b, at_ms: 2024-05-01T10:00:05Z, level: 7}
      - {sensor: a, at_ms: 2024-05-01T10:00:06Z, level: 0.25}
      - {sensor: a, at_ms: 2024-05-01T10:00:07Z, level: 0.125}
  expect:
    - {sensor: a, total: 0.875}
    - {sensor: b, total: 7}
two tables meet in event time:
  view: over_limit
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:00Z, level: 3}
      - {sensor: a, at_ms: 2024-05-01T10:02:00Z, level: 3}
      - {sensor: b, at_ms: 2024-05-01T10:02:00Z, level: 3}
    limits:
      - {sensor: a, since: 2024-05-01T09:00:00Z, most: 2}
      - {sensor: a, since: 2024-05-01T10:01:00Z, most: 4}
  expect:
    - {sensor: a, taken: 2024-05-01T10:00:00Z, above: true}
    - {sensor: a, taken: 2024-05-01T10:02:00Z, above: false}
    - {sensor: b, taken: 2024-05-01T10:02:00Z, above: null}
every type comes through:
  view: everything
  given:
    anything:
      - {s: "a 'b' ü", b: true, i: -7, l: 9007199254740993, f: 0.1, d: 0.1, n: 1.250,
         z: 2024-05-01T10:00:00.123+02:00, t: 2024-05-01T10:00:00.123456, born: 2024-05-01}
      - {}
  expect:
    - {s: "a 'b' ü", b: true, i: -7, l: 9007199254740993, f: 0.1, d: 0.1, n: 1.25,
       z: 2024-05-01T08:00:00.123Z, t: 2024-05-01T10:00:00.123456, born: 2024-05-01}
    - {s: ~, b: ~, i: ~, l: ~, f: ~, d: ~, n: ~, z: ~, t: ~, born: ~}
nothing given:
  view: totals
  given: {}
  expect: []
"""

_WRONG = """\
one cell is wrong:
  view: per_minute
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
  expect:
    - {sensor: a, window_start: 2024-05-01T10:00:00, levels: 1, mean_level: 2.5}
a row too many and one too few:
  view: totals
  given:
    readings:
      - {sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 1}
  expect:
    - {sensor: b, total: 2}
no such mode for it:
  view: over_limit
  modes: [batch]
  given: {}
  expect: []
the view itself fails:
  view: numbers
  given:
    anything: [{s: seven}]
  expect: []
"""

_MISTAKEN = """\
columns:
  view: per_minute
  given:
    readings:
      - {sensor: a, at_ms: soon, lvel: 1}
      - {sensor: a, taken: 2024-05-01T10:00:05Z}
      - watermark: 2024-05-01T10:00:05Z
      - {sensor: a}
      - watermark: 2024-05-01T10:00:04Z
  expect:
    - {sensr: a}
tables:
  view: totals
  given:
    reading: []
    limits: []
  expect: []
keys:
  view: over_limit
  given:
    limits:
      - {since: 2024-05-01T09:00:00Z}
  expect: []
views:
  view: per_minutes
  given: {}
  expect: []
sources are no views:
  view: readings
  given: {}
  expect: []
rows go to tables:
  view: scored
  given:
    levels: []
  expect: []
updates:
  view: known_accounts
  given:
    accounts: []
  expect: []
arrays and event time:
  view: everything
  given:
    anything:
      - {a: 1}
      - watermark: 2024-05-01T10:00:04Z
  expect: []
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a small project with a model, and no settings."""
    root = tmp_path_factory.mktemp("project")
    for name, text in _SQL.items():
        (root / "sql" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sql" / name).write_text(text)
    (root / "pyproject.toml").write_text("[tool.millstream]\n")
    _add_model(root)
    return Project(root, Settings())


def _add_model(root: Path) -> None:
    onnx = root / "models" / "linear" / "1" / "model.onnx"
    onnx.parent.mkdir(parents=True)
    shutil.copy(_REPOSITORY / "tests" / "unit" / "models" / "linear.onnx", onnx)
    write_card(onnx, "linear", "1")


def _run(project: Project, cluster: MiniCluster, *files: Path) -> Iterator[Outcome]:
    declarations = declare(project)
    cases = make_cases(declarations, read_feature_files(project, files), table_environment(project))
    return run_cases(project, declarations.models, cases, cluster)


def _written(project: Project, name: str, text: str) -> Path:
    file = project.root / "tests" / "features" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_right_tests_pass_in_streaming_and_in_batch(project: Project, cluster: MiniCluster) -> None:
    model = onnxruntime.InferenceSession(project.models / "linear" / "1" / "model.onnx")
    [[[y]]] = model.run(None, {"X": np.array([[3, 6, 9]], np.float32)})
    scored = f"""\
a model scores:
  view: scored
  given:
    readings: [{{sensor: a, at_ms: 2024-05-01T10:00:05Z, level: 3}}]
  expect: [{{sensor: a, y: {y}}}]
"""
    outcomes = list(_run(project, cluster, _written(project, "right.yaml", _RIGHT + scored)))
    assert [(o.case.test.name, o.case.mode) for o in outcomes if not o.passed] == []
    assert len(outcomes) == 11
    assert [o.case.mode for o in outcomes].count("batch") == 2


def test_wrong_tests_fail_with_the_rows_that_differ(
    project: Project, cluster: MiniCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pyflink_jobs.running.minicluster.minicluster", lambda *_, **__: nullcontext(cluster))
    file = _written(project, "wrong.yaml", _WRONG)
    monkeypatch.chdir(project.root)
    with pytest.raises(SystemExit) as caught:
        main(["test", str(file)])
    assert caught.value.code == 1
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["FAIL", "tests/features/wrong.yaml:1", "one", "cell", "is", "wrong"] in printed
    assert ["~", "7", "a", "2024-05-01T10:00:00", "1", "1.0", "!=", "2.5"] in printed
    assert ["-", "14", "b", "2.0"] in printed
    assert ["+", "a", "1.0"] in printed
    heads = [line[:5] for line in printed]
    assert ["tests/features/wrong.yaml:15:1:", "Flink", "cannot", "run", "`over_limit`"] in heads
    assert ["tests/features/wrong.yaml:20:1:", "Flink", "cannot", "run", "`numbers`"] in heads
    assert printed[-1][:3] == ["4", "failed", "in"]


def test_json_and_names(
    project: Project, cluster: MiniCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pyflink_jobs.running.minicluster.minicluster", lambda *_, **__: nullcontext(cluster))
    _written(project, "right.yaml", _RIGHT)
    _written(project, "wrong.yaml", _WRONG)
    with pytest.raises(SystemExit) as caught:
        main(["--project", str(project.root), "test", "-k", "one cell", "--json"])
    assert caught.value.code == 1
    [outcome] = json.loads(capsys.readouterr().out)
    assert (outcome["file"], outcome["line"], outcome["passed"]) == ("tests/features/wrong.yaml", 1, False)
    row = {"sensor": "a", "window_start": "2024-05-01T10:00:00", "levels": "1"}
    assert outcome["differences"] == [
        {"line": 7, "expected": {**row, "mean_level": "2.5"}, "found": {**row, "mean_level": "1.0"}}
    ]
    with pytest.raises(SystemExit) as caught:
        main(["--project", str(project.root), "test", "-k", "nobody"])
    assert caught.value.code == 1
    assert "no test's name contains `nobody`" in capsys.readouterr().err


def test_all_mistakes_in_tests_are_found_before_anything_runs(project: Project) -> None:
    file = _written(project, "mistaken.yaml", _MISTAKEN)
    with pytest.raises(FeatureTestError) as caught:
        make_cases(declare(project), read_feature_files(project, [file]), table_environment(project))
    found = {(f.place.line if f.place else None, f.message): f for f in caught.value.findings}
    assert sorted(found) == [
        (5, "`readings` has no column `lvel`"),
        (5, "column `at_ms`: `soon` is not a BIGINT, which is written as 20, or as an instant: 2013-04-01T10:02:00Z"),
        (6, "`taken` of `readings` is computed"),
        (9, "event time goes back, to 2024-05-01T10:00:04Z"),
        (11, "`per_minute` has no column `sensr`"),
        (15, "`totals` does not read `reading`"),
        (16, "`totals` does not read `limits`"),
        (22, "column `sensor` of `limits` is NOT NULL, and this row has no value for it"),
        (25, "no view `per_minutes`"),
        (29, "`readings` is a table, not a view"),
        (35, "`levels` is a view, and rows are given to tables"),
        (40, "`accounts` has updates, and a test can only give new rows"),
        (46, "column `a` is ARRAY<INT>, whose values a test cannot have"),
        (47, "table `anything` has no event time"),
    ]
    unknown = found[5, "`readings` has no column `lvel`"]
    assert str(unknown.place) == "tests/features/mistaken.yaml:5:34"
    assert unknown.facts == ("its columns: sensor, at_ms, level, taken",)
    assert unknown.fixes == ("write `level`",)
    assert found[15, "`totals` does not read `reading`"].fixes == ("write `readings`",)
    assert found[25, "no view `per_minutes`"].fixes == ("write `per_minute`",)


@pytest.mark.slow
def test_every_feature_of_this_repository_has_a_test_and_passes_it(tmp_path: Path, cluster: MiniCluster) -> None:
    for folder in ("sql/sources", "sql/sinks", "sql/features", "tests/features"):
        shutil.copytree(_REPOSITORY / folder, tmp_path / folder)
    outcomes = list(_run(Project(tmp_path, Settings()), cluster, *sorted((tmp_path / "tests/features").glob("*.yaml"))))
    assert [(o.case.test.name, o.case.mode, o.diff, o.error) for o in outcomes if not o.passed] == []
    views = {file.stem for file in (tmp_path / "sql/features").glob("*.sql")}
    assert {o.case.test.view.text for o in outcomes} == views
    batch = {o.case.test.view.text for o in outcomes if o.case.mode == "batch"}
    assert batch == views - {"carrier_delays", "flight_features"}  # what Flink 2.3 cannot plan in batch mode
