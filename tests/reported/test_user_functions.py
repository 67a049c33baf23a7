"""Functions of a project's own: found in `functions/`, with what they import, in check, test, run and submit."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.cluster.submit import prepare
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.errors import SqlError
from pyflink_jobs.parsing.statements import Statement
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.flink.python_functions import check_function
from pyflink_jobs.project.flink_options import with_all_files
from pyflink_jobs.project.functions import make_importable
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.command_line import process_call
from tests.projects import make_project

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

FUNCTIONS = {
    "geo.py": "from pyflink.table.udf import udf\nfrom functions.deep.units import KM\n\n"
    "@udf(result_type='DOUBLE')\ndef kilometres(metres: float) -> float:\n    return metres / KM\n\nconstant = 1\n",
    "deep/units.py": "KM = 1000.0\n",
    "broken.py": "import shapely_of_nobody\n",
    "raising.py": "import os\nvalue = 1 / 0\n",
    "unfinished.py": "def f(:\n",
}


def project(folder: Path, function: str = "functions.geo.kilometres", settings: str = "") -> Project:
    numbers = (
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence',"
        " 'fields.n.start' = '1', 'fields.n.end' = '5')"
    )
    sql = {
        "sources/numbers": numbers,
        "features/kilometres": f"CREATE FUNCTION kilometres AS '{function}' LANGUAGE PYTHON",
        "features/lengths": "CREATE VIEW lengths AS SELECT n, kilometres(CAST(n AS DOUBLE)) AS km FROM numbers",
        "sinks/out": "CREATE TABLE `out` (n BIGINT, km DOUBLE)"
        f" WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json')",
        "jobs/measure": "INSERT INTO `out` SELECT n, km FROM lengths",
    }
    made = make_project(folder, sql, settings)
    for name, text in FUNCTIONS.items():
        file = folder / "functions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return made


def test_a_function_runs_with_what_it_imports(cluster: MiniCluster, tmp_path: Path) -> None:
    made = project(tmp_path)
    environment = table_environment(made, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(made).job("measure"), environment)
    assert execute(made, planned, cluster).state == "FINISHED"
    files = [file for file in (tmp_path / "out").iterdir() if not file.name.startswith(".")]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert sorted((row["n"], row["km"]) for row in rows) == [(n, n / 1000) for n in range(1, 6)]

    checked = process_call(tmp_path, "check")
    assert checked.code == 0, checked.out
    feature = tmp_path / "tests" / "features" / "lengths.yaml"
    feature.parent.mkdir(parents=True)
    feature.write_text(
        "metres:\n  view: lengths\n  given:\n    numbers:\n      - {n: 250}\n  expect:\n    - {n: 250, km: 0.25}\n"
    )
    tested = process_call(tmp_path, "test")
    assert tested.code == 0, tested.out + tested.err


def test_submit_ships_the_folder_and_adds_to_what_a_target_lists(jvm_project: Project, tmp_path: Path) -> None:
    del jvm_project
    made = project(tmp_path)
    options = {"python.files": "/opt/more.zip", "pipeline.jars": "file:///opt/more.jar"}
    with tempfile.TemporaryDirectory() as folder:
        sent = prepare(made, "measure", Target("t", url="http://localhost:1", options=options), Path(folder))
        contents = {package.file.name: package.contents for package in sent.packages}
        assert {"functions/geo.py", "functions/deep/units.py", "functions/__init__.py"} <= {*contents["functions.zip"]}
        files = sent.options["python.files"].split(",")
        assert [Path(file).name for file in files] == ["udfs.zip", "functions.zip", "more.zip"]
        jars = [Path(jar).name for jar in sent.options["pipeline.jars"].split(";")]
        assert "more.jar" in jars
        assert "millstream.jar" in jars


@pytest.mark.parametrize("key", ["python.files", "python.archives", "pipeline.jars", "pipeline.classpaths"])
def test_lists_of_files_are_joined(key: str) -> None:
    between = "," if key.startswith("python") else ";"
    assert with_all_files({key: "a"}, {key: f"b{between} c"}, {key: "a"}) == {key: between.join("abc")}
    assert with_all_files({"a": "1"}, {"a": "2"}) == {"a": "2"}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            "geo.kilometres",
            (
                "there is no module `geo`\n  functions/ has: functions.broken, functions.geo,"
                " functions.raising, functions.unfinished\n  write 'functions.geo.kilometres'"
            ),
        ),
        (
            "functions.geom.kilometres",
            (
                "there is no module `functions.geom`\n  functions/ has: functions.broken, functions.geo,"
                " functions.raising, functions.unfinished\n  write 'functions.geo.kilometres'"
            ),
        ),
        (
            "functions.geo.kilometre",
            (
                "`kilometre` in module `functions.geo` is not there\n  functions of Flink in it: kilometres\n"
                "  write 'functions.geo.kilometres'"
            ),
        ),
        (
            "functions.geo.constant",
            (
                "`constant` in module `functions.geo` is no function of Flink\n  functions of Flink in it: kilometres\n"
                "  decorate a function with @udf(result_type=...)"
            ),
        ),
        (
            "functions.broken.f",
            (
                "module `functions.broken` needs a module `shapely_of_nobody`, which is not there\n"
                "  functions/broken.py:1: import shapely_of_nobody\n"
                "  either install shapely_of_nobody here, and in the environment of the workers,\n"
                "  or put shapely_of_nobody.py into functions/, and import it as functions.shapely_of_nobody"
            ),
        ),
        (
            "functions.raising.f",
            (
                "module `functions.raising` cannot be imported: ZeroDivisionError: division by zero\n"
                "  functions/raising.py:2: value = 1 / 0"
            ),
        ),
        (
            "functions.unfinished.f",
            (
                "module `functions.unfinished` cannot be imported: SyntaxError: invalid syntax"
                " (unfinished.py, line 1)\n"
                "  functions/unfinished.py:1"
            ),
        ),
        (
            "kilometres",
            (
                "'kilometres' is no function of a module\n"
                "  write its module before it: 'functions.geo.distance' is of functions/geo.py"
            ),
        ),
    ],
)
def test_what_cannot_be_imported_is_one_paragraph(function: str, expected: str, tmp_path: Path) -> None:
    make_importable(project(tmp_path))
    statement = Statement(Path("sql/features/f.sql"), "", f"CREATE FUNCTION f AS '{function}' LANGUAGE PYTHON")
    with pytest.raises(SqlError) as caught:
        check_function(statement, in_jvm=False)
    assert str(caught.value) == f"sql/features/f.sql:1:22: {expected}"
