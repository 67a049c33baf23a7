"""Imports point one way: pyflink_jobs to udfs, and Flink's adapter alone knows Flink."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_udfs_know_nothing_of_the_client_side_nor_of_flink() -> None:
    files = list((ROOT / "udfs").rglob("*.py"))
    assert len(files) > 5
    for file in files:
        roots = {name.split(".")[0] for name in imported(file)}
        assert "pyflink_jobs" not in roots, file.name
        if "flink" not in file.parts:
            assert not roots & {"pyflink", "pandas"}, file.name


def test_planning_a_monitored_job_waits_for_no_import_that_it_does_not_need() -> None:
    """Kafka's client and pandas take one second and two; the flights' model has a profile of its reference to read."""
    plans = """
import sys
import pyflink_jobs.running.job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import import_pyflink
import_pyflink()
declarations = declare(Project.find())
assert declarations.models["late_arrival"].additions, "without a monitor nothing is read"
print(sorted({"pandas", "kafka", "scipy", "pyflink"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", plans], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "['pyflink']\n", done.stderr
