"""The names of `pyflink_jobs`: they are there, typed as they are documented, and cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pyflink_jobs
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import pyflink_jobs; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-Sc", code], capture_output=True, text=True, check=True, cwd=".")
    assert "'pyflink_jobs'" in done.stdout
    assert "pyflink_jobs." not in done.stdout
    assert not {"numpy", "pyflink", "kafka", "click"} & set(eval(done.stdout))  # noqa: S307 - it is our own list


@pytest.mark.parametrize("name", pyflink_jobs.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(pyflink_jobs, name).__doc__


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'pyflink_jobs' has no attribute 'chekc'"):
        _ = pyflink_jobs.chekc


def test_a_check_returns_mistakes_as_findings(tmp_path: Path) -> None:
    model = "CREATE MODEL m INPUT (a FLOAT) OUTPUT (p DOUBLE) WITH ('provider' = 'onnx')"
    project = make_project(tmp_path, {"models/m": model})
    add_model(project, "m", "linear")
    checked = pyflink_jobs.check(pyflink_jobs.load_project(tmp_path), offline=True)
    assert not checked.ok
    assert [str(finding.place) for finding in checked.findings] == ["sql/models/m.sql:1:23"]


def test_sql_that_cannot_be_read_is_a_finding_too(tmp_path: Path) -> None:
    make_project(tmp_path, {"jobs/score": "INSERT INTO a SELECT '"})
    checked = pyflink_jobs.check(pyflink_jobs.load_project(str(tmp_path)), offline=True)
    assert [finding.place.file.name for finding in checked.findings if finding.place] == ["score.sql"]


def test_no_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(pyflink_jobs.ProjectError, match="is not a Millstream project"):
        pyflink_jobs.load_project(tmp_path)
