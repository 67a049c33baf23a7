"""Models whose weights are in other files, as PyTorch exports them: all files count, wherever a command is started."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.cluster.ship_models import located_at, located_in_archive, pack_models, put_models
from pyflink_jobs.cluster.submitted_copies import find_record, keep_record
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.errors import ModelError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from pyflink_jobs.project.pack_files import MODELS_FOLDER
from pyflink_jobs.project.settings import Project
from pyflink_jobs.scaffold.scaffold import create_project
from udfs.scoring import model as worker_side
from udfs.scoring.inference import run_inference
from udfs.scoring.model import ModelSpec, load_model
from udfs.scoring.onnx_files import DataFileError, ModelFileError, external_files, with_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyflink_jobs.cluster.submit import Submission
    from pyflink_jobs.planning.declarations import Job

MODELS = Path(__file__).parents[1] / "unit" / "models" / "external"
FILES = {
    "one": ["one.onnx.data"],
    "several": ["weights/b.bin", "weights/w.bin"],
    "branches": ["branches.bin"],
}
ROWS = np.array([[0, 0, 0], [1, 1, 1], [0.25, -2, 4]], np.float32)
SCORES = [0.5, 6.5, 8.75]  # a + 2 b + 3 c + 0.5, by hand


def score(spec: ModelSpec) -> list[float]:
    batch: list[NDArray[Any]] = [np.ascontiguousarray(column) for column in ROWS.T]
    scores: list[float] = run_inference(batch, load_model(spec)).outputs[0].tolist()
    return scores


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a folder that has none of the files, and keep fetched files apart from those of other tests."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("MILLSTREAM_CACHE", str(tmp_path / "cache"))


def project_of(folder: Path, name: str) -> Project:
    create_project(folder / "mine", MODELS / f"{name}.onnx")
    return Project.find(folder / "mine")


def job_of(project: Project) -> Job:
    return declare(project).job("score")


def changed(file: Path) -> None:
    """Change one bit of a weight; the size stays."""
    content = bytearray(file.read_bytes())
    content[1] ^= 1
    file.write_bytes(content)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", FILES)
def test_new_copies_all_files_and_the_card_has_their_digests(tmp_path: Path, name: str) -> None:
    project = project_of(tmp_path, name)
    version = project.models / name / "1"
    assert [str(f.relative_to(version)) for f in sorted(version.rglob("*")) if f.is_file()] == sorted(
        [*FILES[name], "model.json", "model.onnx"]
    )
    assert sorted(json.loads((version / "model.json").read_text())["data"]) == FILES[name]
    assert declare(project).findings == []
    [model] = declare(project).models.values()
    assert score(model.spec) == SCORES


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", FILES)
def test_the_archive_has_all_files_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    project = project_of(tmp_path, name)
    job = job_of(project)
    package = pack_models(project, list(job.models.values()), tmp_path)
    worker = tmp_path / "worker"
    with zipfile.ZipFile(package.file) as archive:
        archive.extractall(worker / MODELS_FOLDER)
    shutil.rmtree(project.models)
    monkeypatch.chdir(worker)
    [model] = located_in_archive(job, project).models.values()
    assert score(model.spec) == SCORES
    for part in model.spec.data:
        assert Path(part.path).read_bytes() == (MODELS / part.name).read_bytes()
    changed(Path(model.spec.data[0].path))
    monkeypatch.setattr(worker_side, "_sessions", {})  # as in a new worker
    with pytest.raises(ModelFileError, match=r"is not the file that model .* was planned with"):
        load_model(model.spec)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", FILES)
def test_models_at_a_uri_are_fetched_with_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    project = project_of(tmp_path, name)
    job = job_of(project)
    uri = (tmp_path / "bucket").as_uri()
    put = put_models(list(job.models.values()), uri)
    assert len(put) == 1 + len(FILES[name])
    shutil.rmtree(project.models)
    [model] = located_at(job, uri).models.values()
    monkeypatch.setattr(worker_side, "_sessions", {})
    assert score(model.spec) == SCORES


def test_the_copy_for_undoing_an_upgrade_has_all_files(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x0,x1,x2,y\n0,0,0,0.5\n1,1,1,6.5\n")
    create_project(tmp_path / "mine", MODELS / "several.onnx", (), rows=rows)
    project = Project.find(tmp_path / "mine")
    # What a record needs of a submission; to plan a whole one takes a JVM.
    models = tuple(job_of(project).models.values())
    submission = SimpleNamespace(target=Target("local"), planned=SimpleNamespace(name="score"), models=models)
    keep_record(project, cast("Submission", submission), "1234", "localhost:9092", ship_env=False)
    record = find_record(project, "local", "score", "1234")
    assert record is not None
    shutil.rmtree(project.models)
    declared = declare(record.project)
    assert declared.findings == []
    assert score(declared.models["several"].spec) == SCORES
    assert declared.models["several"].spec.samples is not None


def test_another_export_with_the_same_graph_is_another_model_in_a_worker(tmp_path: Path) -> None:
    first, second = project_of(tmp_path / "a", "one"), project_of(tmp_path / "b", "one")
    file = second.models / "one" / "1" / "one.onnx.data"
    file.write_bytes((np.frombuffer(file.read_bytes(), np.float32) * 2).tobytes())
    write_card(file.with_name("model.onnx"), "one", "1", ("x0", "x1", "x2"))
    specs = [declare(project).models["one"].spec for project in (first, second)]
    assert specs[0].sha256 == specs[1].sha256
    assert [score(spec) for spec in specs] == [SCORES, [2 * value for value in SCORES]]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (changed, "this file is not the one that the model.s card describes"),
        (Path.unlink, "the model keeps weights in `.*`, which cannot be read: No such file or directory"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "is not the one that the model.s card describes"),
    ],
)
def test_check_refuses_a_file_that_is_changed_or_gone(tmp_path: Path, name: str, damage: Any, words: str) -> None:  # noqa: ANN401 - a function
    project = project_of(tmp_path, name)
    damage(project.models / name / "1" / FILES[name][0])
    [finding] = declare(project).findings
    assert finding.place is not None
    with pytest.raises(ModelError, match=words):
        raise ModelError(finding)
    assert finding.place.file.parts[:3] == ("models", name, "1")
    assert finding.fixes


def test_a_card_of_before_asks_for_a_new_one(tmp_path: Path) -> None:
    project = project_of(tmp_path, "one")
    card = project.models / "one" / "1" / "model.json"
    content = json.loads(card.read_text())
    del content["data"]
    card.write_text(json.dumps(content))
    [finding] = declare(project).findings
    assert str(finding) == (
        "models/one/1/one.onnx.data: the model's card does not have this file\n"
        "  its sha256 is not in model.json\n"
        "  write the card again: millstream card one"
    )


@pytest.mark.parametrize(
    "place", ["../one.data.x", "/any/one.data", "a/../../one.x", "..\\one.data.x", "one.onnx.dat\0"]
)
def test_a_path_out_of_the_models_folder_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "one.data.x").write_bytes((MODELS / "one.onnx.data").read_bytes())
    inside = "one.onnx.data"
    assert len(place) == len(inside)
    file = tmp_path / "models" / "one.onnx"
    file.parent.mkdir()
    file.write_bytes((MODELS / "one.onnx").read_bytes().replace(inside.encode(), place.encode()))
    with pytest.raises(ModelError, match="which is not a file in its own folder"):
        create_project(tmp_path / "mine", file)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("taken", ["model.json", "model.onnx"])
def test_weights_in_a_file_with_the_name_of_another(tmp_path: Path, taken: str) -> None:
    file = tmp_path / "x.onnx"
    file.write_bytes((MODELS / "one.onnx").read_bytes().replace(b"one.onnx.data", f".//{taken}".encode()))
    (tmp_path / taken).write_bytes((MODELS / "one.onnx.data").read_bytes())
    with pytest.raises(ModelError, match="which is the name of another file in a model's folder"):
        create_project(tmp_path / "mine", file)
    assert not (tmp_path / "mine").exists()


def test_a_file_that_is_too_short_is_refused_before_it_is_opened() -> None:
    graph = (MODELS / "one.onnx").read_bytes()
    data = (MODELS / "one.onnx.data").read_bytes()
    with pytest.raises(DataFileError, match=r"`one.onnx.data` has 15 bytes, and the model has weights at 12 to 16"):
        with_data(graph, {"one.onnx.data": data[:-1]})


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_that_are_no_model_raise_nothing_else(before: bytes, after: bytes) -> None:
    with suppress(DataFileError):
        assert all(external_files(before + b"location" + after))


def test_a_model_of_one_file_is_left_as_it_is() -> None:
    content = (MODELS.parent / "trees.onnx").read_bytes()
    assert external_files(content) == ()
    assert with_data(content, {}) is content
    assert external_files(b"no model, but a location") == ()
