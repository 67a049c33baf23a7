from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyflink_jobs.errors import ModelError, ProjectError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.scaffold.scaffold import create_project
from pyflink_jobs.testkit.feature_file import read_feature_files
from tests.unit.onnx_models import SCORABLE, model_path


@pytest.mark.parametrize("name", [name for name in SCORABLE if name != "two_matrices"])
def test_a_project_around_any_model_has_no_findings(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    files = create_project(folder, model_path(name))
    project = Project.find(folder)
    declarations = declare(project)
    assert declarations.findings == []
    assert list(declarations.jobs) == ["score"]
    assert list(declarations.models) == [name]
    [test] = read_feature_files(project, [file for file in files if file.suffix == ".yaml"])
    assert test.view.text == f"{name}_features"
    events = (folder / "data" / "events.jsonl").read_text().splitlines()
    assert len(events) == 100
    assert {len(json.loads(line)) for line in events} == {2 + len(declarations.models[name].definition.inputs)}


def test_the_example_model_has_names(tmp_path: Path) -> None:
    create_project(tmp_path / "mine")
    [model] = declare(Project.find(tmp_path / "mine")).models.values()
    assert [column.name for column in model.definition.inputs] == ["temperature", "vibration", "load"]


def test_columns_are_named_by_the_user(tmp_path: Path) -> None:
    create_project(tmp_path / "mine", model_path("linear"), ("one", "two words", "select"))
    [model] = declare(Project.find(tmp_path / "mine")).models.values()
    assert [column.name for column in model.definition.inputs] == ["one", "two words", "select"]


def test_nothing_is_written_where_something_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    with pytest.raises(ModelError, match=r"--columns names 2 columns, input `X` expects 3"):
        create_project(folder, model_path("linear"), ("a", "b"))
    with pytest.raises(ModelError, match="ONNX Runtime cannot read the model"):
        create_project(folder, Path(__file__))
    assert not folder.exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ProjectError, match="not empty"):
        create_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
