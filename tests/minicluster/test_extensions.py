"""A package brings a companion, a connector and a format, one file each, and nothing else is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.planning.compile.explanation import explain_job
from pyflink_jobs.planning.compile.load import Run
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.extensions import extensions
from pyflink_jobs.planning.formats import format_of
from pyflink_jobs.planning.rewrites.dry_run import DryRun
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

TOYS = Path(__file__).parents[1] / "extensions"
ENTRY_POINTS = """\
[millstream.companions]
even = toy_companion:Even
[millstream.connectors]
folder = toy_connector:Folder
[millstream.formats]
lines = toy_format:Lines
"""
ROWS = [{"n": n, "x": n / 2, "y": 3.0, "z": -n} for n in range(101)]
CALL = "ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(x, y, z))"
MODEL = "CREATE MODEL m INPUT (x FLOAT, y FLOAT, z FLOAT) OUTPUT (score DOUBLE) WITH ('provider' = 'onnx'{})"


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package as pip does: its modules, and its entry points beside them."""
    site = tmp_path / "site"
    shutil.copytree(TOYS, site)
    (site / "toys-1.dist-info").mkdir()
    (site / "toys-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
    (site / "toys-1.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(site)
    extensions.cache_clear()
    yield
    extensions.cache_clear()


def project(folder: Path, options: str = ", 'even.key' = 'n'") -> Project:
    def table(name: str, columns: str) -> str:
        options = f"'connector' = 'filesystem', 'path' = '{folder / name}', 'format' = 'toy-lines'"
        return f"CREATE TABLE `{name}` ({columns}) WITH ({options})"

    (folder / "events").mkdir(parents=True)
    (folder / "events" / "rows.json").write_text("\n".join(map(json.dumps, ROWS)))
    made = make_project(
        folder,
        {
            "sources/events": table("events", "n BIGINT, x FLOAT, y FLOAT, z FLOAT"),
            "models/m": MODEL.format(options),
            "sinks/scored": table("scored", "n BIGINT, score DOUBLE"),
            "sinks/even": table("even", "key BIGINT, score DOUBLE"),
            "jobs/score": f"INSERT INTO scored SELECT n, score FROM {CALL}",
        },
    )
    add_model(made, "m", "linear")
    return made


def written(folder: Path) -> dict[int, float]:
    rows = [json.loads(line) for file in folder.rglob("part-*") for line in file.read_text().splitlines()]
    return {next(iter(row.values())): row["score"] for row in rows}


def truth() -> dict[int, float]:
    matrix = np.array([[row["x"], row["y"], row["z"]] for row in ROWS], np.float32)
    [scores] = onnxruntime.InferenceSession(model_path("linear")).run(None, {"X": matrix})
    return {int(row["n"]): float(score) for row, score in zip(ROWS, scores.ravel(), strict=True)}


def run(made: Project, cluster: MiniCluster, kind: Run) -> Any:  # noqa: ANN401 - an outcome
    environment = table_environment(made, {**cluster.options, "parallelism.default": "1"}, bounded=True)
    return execute(made, plan_job(declare(made).job("score"), environment, kind), cluster)


def test_a_companion_adds_a_field_in_the_worker_a_view_and_a_table(tmp_path: Path, cluster: MiniCluster) -> None:
    made = project(tmp_path / "made")
    assert run(made, cluster, Run(bounded=True)).state == "FINISHED"
    expected = truth()
    assert written(made.root / "scored") == pytest.approx(expected, rel=1e-6)
    assert written(made.root / "even") == pytest.approx({n: s for n, s in expected.items() if n % 2 == 0}, rel=1e-6)


def test_it_is_a_stage_that_explain_shows(tmp_path: Path) -> None:
    made = project(tmp_path / "made")
    explanation = explain_job(declare(made).job("score"), table_environment(made))
    assert [(s.name, s.lines) for s in explanation.stages][-1] == ("even", ("even of m: rows whose n is even",))
    assert "INSERT INTO `even`" in explanation.sql
    assert explanation.python_operators == 1


def test_its_options_are_checked_and_a_model_without_them_has_none_of_it(tmp_path: Path) -> None:
    (finding,) = declare(project(tmp_path / "wrong", ", 'even.kee' = 'n'")).findings
    assert (finding.message, str(finding.place).split(":")[0]) == ("unknown option 'even.kee'", "sql/models/m.sql")
    job = declare(project(tmp_path / "without", "")).job("score")
    assert not job.models["m"].additions
    assert job.system_tables == set()


def test_a_connector_names_and_redirects_its_tables_and_a_format_is_replaced(
    tmp_path: Path, cluster: MiniCluster
) -> None:
    made = project(tmp_path / "made")
    table = declare(made).tables["scored"]
    assert connector_of(table.values).names(table.values) == [str(made.root / "scored")]
    assert format_of(table.values).fast == "json"
    assert not format_of(table.values).keeps_undecodable
    run(made, cluster, Run(bounded=True, dry_run=DryRun("events", {}, "trial")))
    assert not (made.root / "scored").exists()
    assert len(written(made.root / "scored-trial-scored")) == len(ROWS)
