"""What an interpreter inside the JVM imports: the packages of the configured one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pyflink_jobs.project.interpreter import EXECUTION_MODE, embedded_options

THREAD = {EXECUTION_MODE: "thread"}


def test_the_packages_of_this_interpreter_are_enough_for_one_that_knows_nothing() -> None:
    found = embedded_options({**THREAD, "python.executable": sys.executable})["python.pythonpath"]
    base = str(Path(sys.executable).resolve())
    bare = [base, "-I", "-S", "-c"]
    imports = f"import sys; sys.path[:0] = {found.split(':')!r}; import pemja, pyflink, onnxruntime, udfs.scoring"
    assert subprocess.run([*bare, "import pemja"], capture_output=True, check=False).returncode != 0
    subprocess.run([*bare, imports], check=True)


def test_another_interpreter_is_asked(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    found = embedded_options({**THREAD, "python.executable": str(tmp_path / "other" / "bin" / "python")})
    [packages] = set(found["python.pythonpath"].split(":"))
    assert Path(packages).samefile(next((tmp_path / "other" / "lib").glob("python3*/site-packages")))


def test_one_on_other_machines_is_assumed_to_be_a_virtual_environment() -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = embedded_options({**THREAD, "python.executable": "/opt/nowhere/venv/bin/python"})
    assert found == {"python.pythonpath": f"/opt/nowhere/venv/lib/{version}/site-packages"}


def test_workers_and_interpreters_that_come_with_the_job_need_none() -> None:
    assert embedded_options({"python.executable": sys.executable}) == {}
    assert embedded_options({**THREAD, "python.executable": "python/bin/python"}) == {}
    assert embedded_options(THREAD) == {}
