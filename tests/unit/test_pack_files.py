"""What goes to the workers: the same bytes each time, whole, and enough to run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.cluster.ship_models import files_of, located_at, located_in_archive, pack_models, put_models
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.pack_files import digest_of, pack_code, pack_files
from tests.projects import add_model, make_project
from udfs.local_file import local_file

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.project.settings import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    sql = "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')"
    made = make_project(tmp_path / "project", {"models/m": sql})
    add_model(made, "m", "linear")
    return made


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"model")
    first = pack_files(tmp_path / "1" / "a.zip", {"b/model.onnx": file, "a": file})
    os.utime(file, (1, 1))
    file.chmod(0o600)
    second = pack_files(tmp_path / "2" / "a.zip", {"a": file, "b/model.onnx": file})
    assert first.sha256 == second.sha256 == digest_of(second.file)
    assert first.file.read_bytes() == second.file.read_bytes()
    assert first.contents == ("a", "b/model.onnx")
    with zipfile.ZipFile(first.file) as packed:
        assert packed.read("b/model.onnx") == b"model"


def test_the_code_that_is_sent_is_enough_for_a_worker(tmp_path: Path) -> None:
    """What workers call is imported from the archive, and nothing of the planning side with it."""
    package = pack_code(tmp_path)
    assert not [name for name in package.contents if not name.startswith("udfs/") or "pycache" in name]
    program = "import sys, udfs.flink.scoring, udfs.flink.drift; print(udfs.__file__, 'pyflink_jobs' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(package.file)}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{package.file}/udfs/__init__.py False\n"


def calling(project: Project) -> Job:
    """Return a job that needs all models of a project."""
    declarations = declare(project)
    return declarations.make_job("score", [s for s in declarations.created if s.kind == "CREATE MODEL"])


def test_models_in_the_archive_lie_where_the_job_looks_for_them(project: Project, tmp_path: Path) -> None:
    job = calling(project)
    models = [*job.models.values()]
    package = pack_models(project, models, tmp_path)
    (model,) = located_in_archive(job, project).models.values()
    assert model.spec.path == f"models/{package.contents[0]}"
    with zipfile.ZipFile(package.file) as packed:
        assert packed.read(package.contents[0]) == (project.models / "m" / "1" / "model.onnx").read_bytes()


def test_models_at_a_uri_are_put_once_and_read_back(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLSTREAM_CACHE", str(tmp_path / "cache"))
    job = calling(project)
    models = [*job.models.values()]
    uri = (tmp_path / "store").as_uri()
    (address,) = put_models(models, uri)
    assert put_models(models, uri) == []
    (model,) = located_at(job, uri).models.values()
    assert model.spec.path == address
    (file,) = files_of(models)
    assert local_file(address, model.spec.sha256).read_bytes() == file.read_bytes()


def test_a_place_that_takes_no_models(project: Project, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, no folder")
    with pytest.raises(ClusterError, match="models cannot be written to"):
        put_models([*declare(project).models.values()], (tmp_path / "store").as_uri())
    with pytest.raises(ClusterError, match="models cannot be written to gopher://"):
        put_models([*declare(project).models.values()], "gopher://bucket/models")
