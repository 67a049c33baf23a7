"""What `millstream new` writes for a model passes `check`, whatever the model's names, types and shapes are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from pyflink_jobs.errors import ModelError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.scaffold.scaffold import create_project
from pyflink_jobs.testkit.feature_file import read_feature_files
from tests.new_projects import GeneratedModel, generated_models
from tests.onnx_file import Value
from tests.unit.onnx_models import model_path
from udfs.scoring.signature import read_signature

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.planning.declarations import Model

X = [Value("X", "float32", ["batch", 2])]


def new(folder: Path, model: GeneratedModel, columns: tuple[str, ...] = ()) -> tuple[Model, list[str]]:
    """Write a project and return its model, and what is noted; it has no findings."""
    notes: list[str] = []
    onnx = model.write(folder / "given")
    files = create_project(folder / "new", onnx, columns, notes.append)
    project = Project.find(folder / "new")
    declarations = declare(project)
    assert declarations.findings == []
    [test] = read_feature_files(project, [file for file in files if file.suffix == ".yaml"])
    [created] = declarations.models.values()
    assert test.view.text == f"{created.spec.name}_features"
    return created, notes


@given(model=generated_models())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_signature(tmp_path_factory: pytest.TempPathFactory, model: GeneratedModel) -> None:
    created, notes = new(tmp_path_factory.mktemp("any"), model)
    wide = len(model.inputs) == 1 and (model.inputs[0].shape or ())[1] != 1
    names = [given.name for given in created.definition.inputs]
    assert names == ([f"x{i}" for i in range(len(names))] if wide else [value.name for value in model.inputs])
    bad = {name for name, kind in model.outputs.items() if kind in ("three", "sequence")}
    assert {output.tensor for output in created.spec.outputs} == set(model.outputs) - bad
    values = {"[batch, 3]": 3, "[batch, 64]": 64, "[batch, ?]": 2, "three": 0, "sequence": 0}
    assert len(created.spec.outputs) == sum(values.get(kind, 1) for kind in model.outputs.values())
    assert len(notes) == len(bad)


@pytest.mark.parametrize("name", ["order", "value", "user", "one", "classifier"])
def test_a_name_that_is_a_word_of_sql(tmp_path: Path, name: str) -> None:
    created, _ = new(tmp_path, GeneratedModel(name, X, {name: "[batch, 1]"}))
    assert created.spec.name == name
    assert f"CREATE MODEL `{name}`" in (tmp_path / "new" / "sql" / "models" / f"{name}.sql").read_text()
    assert f"MODEL `{name}`" in (tmp_path / "new" / "sql" / "jobs" / "score.sql").read_text()


def test_one_input_keeps_its_name(tmp_path: Path) -> None:
    created, _ = new(tmp_path, GeneratedModel("m", [Value("temp", "float32", ["batch", 1])], {"y": "[batch]"}))
    assert [(given.name, given.tensor) for given in created.spec.inputs] == [("temp", "temp")]


def test_an_output_whose_name_looks_like_an_element(tmp_path: Path) -> None:
    created, _ = new(tmp_path, GeneratedModel("m", X, {"variable[0]": "[batch, 1]", "wide[1]": "[batch, 3]"}))
    found = [(output.name, output.tensor, output.element) for output in created.spec.outputs]
    assert found[0] == ("variable_0", "variable[0]", None)
    assert found[1:] == [(f"wide_1_{i}", "wide[1]", i) for i in range(3)]


def test_no_value_of_a_wide_output_is_left_out_silently(tmp_path: Path) -> None:
    created, notes = new(tmp_path / "a", GeneratedModel("m", X, {"Y": "[batch, 64]"}))
    assert [output.element for output in created.spec.outputs] == [*range(64)]
    assert notes == []


def test_columns_of_the_project_give_way_to_inputs(tmp_path: Path) -> None:
    inputs = [Value("id", "float32", ["batch"]), Value("event_time", "int64", ["batch"])]
    new(tmp_path, GeneratedModel("m", inputs, {"y": "[batch]"}))
    event = json.loads((tmp_path / "new" / "data" / "events.jsonl").read_text().splitlines()[0])
    assert event == {"id_2": "event-0", "event_ms": 1_700_000_000_000, "id": 0.5, "event_time": 0}


def test_an_output_that_no_column_holds_is_noted(tmp_path: Path) -> None:
    notes: list[str] = []
    create_project(tmp_path / "zipmap", model_path("zipmap"), (), notes.append)
    [model] = declare(Project.find(tmp_path / "zipmap")).models.values()
    assert [output.tensor for output in model.spec.outputs] == ["output_label"]
    [note] = notes
    assert note.startswith("output_probability is not among the outputs: output `output_probability` is a sequence of")
    assert note in (tmp_path / "zipmap" / "sql" / "models" / "zipmap.sql").read_text()


@pytest.mark.parametrize(
    ("inputs", "columns", "words"),
    [
        ([Value("model_version", "float32", ["batch"])], (), "ML_PREDICT uses that name itself"),
        ([Value("a${HOME}", "float32", ["batch"])], (), "is a variable"),
        ([Value("a\nb", "float32", ["batch"])], (), "no line ends"),
        ([Value("X", "float32", ["batch", 2])], ("a", "a"), "--columns names a twice"),
        ([Value("X", "float32", ["batch", 10, 4])], (), "a row of SQL has one value for each column"),
    ],
)
def test_a_model_that_no_project_can_have_is_refused(
    tmp_path: Path, inputs: list[Value], columns: tuple[str, ...], words: str
) -> None:
    onnx = GeneratedModel("m", inputs, {"y": "[batch, 1]"}).write(tmp_path)
    assert read_signature(onnx).inputs
    with pytest.raises(ModelError, match=words):
        create_project(tmp_path / "new", onnx, columns)
    assert not (tmp_path / "new").exists()
