"""Rows with the trainer's own scores: a model that scores them in another way is found before a job starts.

The forest is one that skl2onnx exported: where a value is missing, its scores are not those of scikit-learn, which are
in rows.csv. Where none is, they are.
"""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from pyflink_jobs.cluster.ship_models import located_at, located_in_archive, pack_models, put_models
from pyflink_jobs.errors import Finding, ModelError
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.pack_files import MODELS_FOLDER
from pyflink_jobs.project.settings import Project
from pyflink_jobs.scaffold.samples import MOST, take_samples
from pyflink_jobs.scaffold.scaffold import create_project
from tests.command_line import Ran, millstream
from tests.unit.onnx_models import model_path
from udfs.scoring.model import load_model
from udfs.scoring.onnx_files import ModelFileError
from udfs.scoring.samples import verify_samples
from udfs.scoring.signature import read_signature

if TYPE_CHECKING:
    from collections.abc import Callable

FOREST = Path(__file__).parents[1] / "unit" / "models" / "forest"
ONNX, ROWS = FOREST / "forest.onnx", FOREST / "rows.csv"
COLUMNS = ("tenure", "calls", "bill")
SCORE = "probabilities[1]"
Row = dict[str, Any]


def trained_rows(*, missing: bool) -> list[Row]:
    """Return the rows of rows.csv with or without missing values, with their numbers."""
    with ROWS.open() as lines:
        rows = [{"number": number, **row} for number, row in enumerate(csv.DictReader(lines), 1)]
    return [row for row in rows if missing or all(row[name] for name in COLUMNS)]


def onnx_scores(rows: list[Row]) -> list[float]:
    """Return what ONNX Runtime computes."""
    session = onnxruntime.InferenceSession(ONNX)
    matrix = np.array([[float(row[name] or "nan") for name in COLUMNS] for row in rows], np.float32)
    scores: list[float] = session.run(["probabilities"], {"X": matrix})[0][:, 1].tolist()
    return scores


def write(file: Path, rows: list[Row], names: dict[str, str] | None = None) -> Path:
    """Write rows as CSV; `names` are the columns to write, by the names in the rows."""
    names = names or {name: name for name in (*COLUMNS, SCORE)}
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(names.values())
        writer.writerows([row[name] for name in names] for row in rows)
    return file


def project_of(folder: Path, rows: Path | None = None) -> Project:
    create_project(folder / "mine", ONNX, COLUMNS, rows=rows)
    return Project.find(folder / "mine")


def edit_model(project: Project, *changes: tuple[str, str]) -> None:
    file = project.sql / "models" / "forest.sql"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def findings(project: Project) -> list[Finding]:
    return declare(project).findings


def test_the_repositorys_own_model_has_scores_of_its_trainer() -> None:
    """Its samples are of LightGBM: flights of April, those with missing values among them."""
    folder = Path(__file__).parents[2] / "models" / "late_arrival" / "1"
    card = json.loads((folder / "model.json").read_text())
    rows = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    names = card["inputs"][0]["columns"]
    matrix = np.array([[row["inputs"][name] for name in names] for row in rows], np.float32)  # None becomes NaN
    scores = onnxruntime.InferenceSession(folder / "model.onnx").run(["probabilities"], {"features": matrix})[0][:, 1]
    assert len(rows) == MOST
    assert np.isnan(matrix).any(axis=1).sum() > 10
    assert np.abs(scores - [row["outputs"][SCORE] for row in rows]).max() < 1e-6
    declared = declare(Project.find(folder.parents[2]))
    assert declared.findings == []
    spec = declared.models["late_arrival"].spec
    assert spec.samples is not None
    verify_samples(load_model(spec))


def test_a_score_that_differs_where_a_value_is_missing(tmp_path: Path) -> None:
    [finding] = findings(project_of(tmp_path, ROWS))
    rows = trained_rows(missing=True)
    sizes = [abs(found - float(row[SCORE])) for row, found in zip(rows, onnx_scores(rows), strict=True)]
    assert finding.place is not None
    assert finding.place.line is not None
    kept = (tmp_path / "mine" / finding.place.file).read_text().splitlines()
    numbers = [json.loads(line)["row"] for line in kept]
    worst = max(numbers, key=lambda number: sizes[number - 1])
    row, differing = rows[worst - 1], sum(sizes[number - 1] > 1e-4 for number in numbers)
    lacks = ", ".join(name for name in COLUMNS if not row[name])
    assert numbers[finding.place.line - 1] == worst
    assert str(finding) == (
        f"models/forest/1/samples.jsonl:{numbers.index(worst) + 1}: row {worst} of the trainer's rows: "
        f"`probabilities[1]` is {onnx_scores([row])[0]:.6g}, the trainer's score is {float(row[SCORE]):.6g}\n"
        f"  {differing} of 100 rows differ by more than 0.0001; row {worst} has no value for {lacks}\n"
        "  only rows with missing values differ: NULL is NaN for the file, and training treated it in another way\n"
        "  either export what fills missing values together with the model: a pipeline with its imputer,\n"
        "  or refuse these rows: 'null-inputs' = 'refuse' in CREATE MODEL"
    )


def test_rows_that_the_model_refuses_for_their_nulls_are_not_compared(tmp_path: Path) -> None:
    project = project_of(tmp_path, ROWS)
    edit_model(project, ("'provider' = 'onnx'", "'provider' = 'onnx', 'null-inputs' = 'refuse'"))
    assert findings(project) == []


def test_a_model_that_scores_as_its_trainer_has_no_findings(tmp_path: Path) -> None:
    assert findings(project_of(tmp_path, write(tmp_path / "rows.csv", trained_rows(missing=False)))) == []


def test_columns_in_another_order(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", trained_rows(missing=False))
    create_project(tmp_path / "mine", ONNX, ("bill", "calls", "tenure"), rows=rows)
    [finding] = findings(Project.find(tmp_path / "mine"))
    assert finding.facts[1] == ("in the order of the trainer's columns the scores agree: a matrix counts by position")
    assert finding.fixes == ("put the columns of INPUT, and of the card, in the order tenure, calls, bill",)


LIKELY: dict[str, tuple[Callable[[Row], str], str]] = {
    "true labels": (lambda row: row["churned"], "one of the two is a label, the other a probability"),
    "other class": (lambda row: str(1 - float(row[SCORE])), "each is 1 minus the trainer's score"),
    "other model": (lambda row: str(float(row[SCORE]) ** 2), "the rows are not as this file expects them"),
    "rounded": (lambda row: str(round(float(row[SCORE]), 2)), "the differences are small"),
    "text": (lambda _: "yes", "one of the two is a label"),
}


@pytest.mark.parametrize("case", LIKELY)
def test_the_likely_cause_of_scores_that_differ(tmp_path: Path, case: str) -> None:
    score, words = LIKELY[case]
    rows = [{**row, SCORE: score(row)} for row in trained_rows(missing=False)]
    [finding] = findings(project_of(tmp_path, write(tmp_path / "rows.csv", rows)))
    assert words in finding.facts[1]


def test_true_labels_in_a_column_with_the_name_of_the_models_labels(tmp_path: Path) -> None:
    names = {name: name for name in (*COLUMNS, SCORE)} | {"churned": "label"}
    [finding] = findings(project_of(tmp_path, write(tmp_path / "rows.csv", trained_rows(missing=False), names)))
    assert finding.facts[1].startswith("only labels differ: the column may have true labels")


def test_a_tolerance_allows_differences_up_to_it(tmp_path: Path) -> None:
    rows = [{**row, SCORE: str(float(row[SCORE]) + 3e-3)} for row in trained_rows(missing=False)]
    file = write(tmp_path / "rows.csv", rows)
    project = project_of(tmp_path, file)
    assert len(findings(project)) == 1
    for tolerance, code in (("0.0029", 1), ("0.0031", 0)):
        ran = millstream(project.root, "card", "forest", "--samples", str(file), "--tolerance", tolerance)
        assert ran.code == code
        assert len(findings(project)) == code
    # A card that is written again keeps what it was given, and what else was written into it.
    card = json.loads((project.models / "forest" / "1" / "model.json").read_text())
    (project.models / "forest" / "1" / "model.json").write_text(json.dumps(card | {"metrics": {"auc": 0.8}}))
    assert millstream(project.root, "card", "forest") == Ran(0, "wrote models/forest/1/model.json\n", "")
    card = json.loads((project.models / "forest" / "1" / "model.json").read_text())
    assert card["samples"]["tolerance"] == 0.0031
    assert card["inputs"][0]["columns"] == list(COLUMNS)
    assert card["metrics"] == {"auc": 0.8}


def test_card_reports_what_differs_at_once_and_new_asks_for_rows(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    ran = millstream(tmp_path, "new", str(folder), "--model", str(ONNX), "--columns", ",".join(COLUMNS))
    assert ran.out.endswith(
        "Does the file score as your trainer does, also where values are missing? With rows and their scores:\n"
        "  millstream card forest --samples rows.parquet\n"
    )
    ran = millstream(folder, "card", "forest", "--samples", str(ROWS))
    assert ran.code == 1
    assert ran.out.startswith(
        "wrote models/forest/1/model.json\nwrote models/forest/1/samples.jsonl\n\nmodels/forest/1/samples.jsonl:"
    )
    other = tmp_path / "other"
    words = ["--model", str(ONNX), "--columns", ",".join(COLUMNS), "--samples", str(ROWS)]
    assert "Does the file score" not in millstream(tmp_path, "new", str(other), *words).out
    assert len(findings(Project.find(other))) == 1


def test_scores_by_the_name_of_the_output_column(tmp_path: Path) -> None:
    names = {"bill": "bill", SCORE: "risk", "churned": "label of truth", "tenure": "tenure", "calls": "calls"}
    file = write(tmp_path / "rows.csv", trained_rows(missing=True), names)
    project = project_of(tmp_path)
    edit_model(project, ("`probabilities_1`", "`risk`"), ("'output.probabilities_1'", "'output.risk'"))
    ran = millstream(project.root, "card", "forest", "--samples", str(file))
    assert ran.code == 1
    kept = [json.loads(line) for line in (project.models / "forest" / "1" / "samples.jsonl").read_text().splitlines()]
    assert {tuple(row["outputs"]) for row in kept} == {(SCORE,)}
    assert {tuple(row["inputs"]) for row in kept} == {("bill", "tenure", "calls")}
    assert "only rows with missing values differ" in ran.out


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl", ".ndjson", ".json"])
def test_rows_of_each_kind_of_file_give_the_same_samples(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"rows{suffix}"
    table = pyarrow.csv.read_csv(ROWS)
    if suffix == ".parquet":
        pyarrow.parquet.write_table(table, file)
    elif suffix == ".csv":
        shutil.copy(ROWS, file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    _, text = take_samples(file, read_signature(ONNX), COLUMNS)
    kept = [json.loads(line) for line in text.splitlines()]
    rows = trained_rows(missing=True)
    for sample in kept:
        row = rows[sample["row"] - 1]
        assert sample["inputs"] == {name: float(row[name]) if row[name] else None for name in COLUMNS}
        assert sample["outputs"] == {SCORE: float(row[SCORE])}
    patterns = {tuple(not row[name] for name in COLUMNS) for row in rows}
    assert {tuple(value is None for value in sample["inputs"].values()) for sample in kept} == patterns
    assert len(kept) == MOST


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.tsv", "", r"rows are read from .parquet, .csv, .jsonl, .ndjson, .json, not from `.tsv`"),
        ("rows.parquet", "no parquet", "the rows cannot be read"),
        ("rows.jsonl", "{", "the rows cannot be read"),
        ("rows.csv", "tenure,calls,bill,probabilities[1]\n", "there are no rows"),
        ("rows.csv", "", "the rows cannot be read"),
        ("rows.csv", "tenure,calls,bill,score\n1,2,3,0.5\n", "no column of the rows has a score"),
        ("rows.csv", "Tenure,calls,bill,label\n1,2,3,1\n", "the rows have no column `tenure`(.|\n)*rename `Tenure` to"),
        ("rows.csv", "tenure,calls,bill,label\n2001-01-01,2,3,1\n", "neither a number, text nor BOOLEAN"),
    ],
)
def test_rows_that_cannot_be_used_leave_everything_as_it_is(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ModelError, match=words):
        create_project(tmp_path / "mine", ONNX, COLUMNS, rows=file)
    assert not (tmp_path / "mine").exists()


def test_names_of_columns_come_from_the_rows_where_nothing_else_names_them(tmp_path: Path) -> None:
    create_project(tmp_path / "mine", ONNX, (), rows=write(tmp_path / "rows.csv", trained_rows(missing=False)))
    project = Project.find(tmp_path / "mine")
    assert [column.name for column in declare(project).models["forest"].definition.inputs] == list(COLUMNS)
    with pytest.raises(ModelError, match="input `X` expects 3 columns, the rows have 5 beside the scores"):
        create_project(tmp_path / "other", ONNX, (), rows=ROWS)


def test_values_of_other_types_of_arrow(tmp_path: Path) -> None:
    rows = pyarrow.csv.read_csv(write(tmp_path / "rows.csv", trained_rows(missing=False)))
    kinds = {"tenure": pa.float16(), "calls": pa.decimal128(30, 20), "bill": pa.float32(), SCORE: pa.float64()}
    for name, kind in kinds.items():
        rows = rows.set_column(
            rows.column_names.index(name), name, rows[name].cast(pa.float64()).cast(kind, safe=False)
        )
    pyarrow.parquet.write_table(rows, tmp_path / "rows.parquet")
    _, text = take_samples(tmp_path / "rows.parquet", read_signature(ONNX), COLUMNS)
    for sample in map(json.loads, text.splitlines()):
        row = trained_rows(missing=False)[sample["row"] - 1]
        assert sample["inputs"] == {
            "tenure": float(np.float16(row["tenure"])),
            "calls": pytest.approx(float(row["calls"])),
            "bill": float(np.float32(row["bill"])),
        }


def test_rows_without_rows_in_parquet(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"tenure": pa.array([], pa.float64())}), tmp_path / "rows.parquet")
    with pytest.raises(ModelError, match="there are no rows"):
        take_samples(tmp_path / "rows.parquet", read_signature(ONNX), COLUMNS)


def test_text_where_a_number_is_expected(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("tenure,calls,bill,label\n1,many,3,1\n")
    [finding] = findings(project_of(tmp_path, file))
    assert finding.message == "input `calls` is 'many' in row 1 of the samples, expected float32"


def test_samples_that_were_edited_or_are_gone(tmp_path: Path) -> None:
    project = project_of(tmp_path, ROWS)
    file = project.models / "forest" / "1" / "samples.jsonl"
    file.write_text(file.read_text().replace("0.5", "0.6"))
    [finding] = findings(project)
    assert finding.message == "this file is not the one that the model's card describes"
    file.unlink()
    [finding] = findings(project)
    assert finding.message == "the card's samples cannot be read: No such file or directory"


@pytest.mark.parametrize("way", ["archive", "uri"])
def test_a_worker_compares_them_when_it_loads_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    rows = trained_rows(missing=False)
    project = project_of(tmp_path, write(tmp_path / "rows.csv", rows))
    job = declare(project).job("score")
    monkeypatch.setenv("MILLSTREAM_CACHE", str(tmp_path / "cache"))
    if way == "archive":
        with zipfile.ZipFile(pack_models(project, list(job.models.values()), tmp_path).file) as archive:
            archive.extractall(tmp_path / MODELS_FOLDER)
        monkeypatch.chdir(tmp_path)
        job = located_in_archive(job, project)
    else:
        put_models(list(job.models.values()), (tmp_path / "bucket").as_uri())
        job = located_at(job, (tmp_path / "bucket").as_uri())
    shutil.rmtree(project.models)
    model = load_model(job.models["forest"].spec)
    verify_samples(model)
    # Another processor, or another ONNX Runtime: here a session whose scores are others.
    other = OtherScores(model.session)
    monkeypatch.setattr(type(model), "run", other.run)
    with pytest.raises(
        ModelFileError, match=r"does not score here as its trainer did: in row \d+ of the samples, `prob"
    ):
        verify_samples(model)


class OtherScores:
    """Calls the model, and adds a little to its scores."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session

    def run(self, tensors: dict[str, Any]) -> list[Any]:
        label, probabilities = self.session.run(["label", "probabilities"], tensors)
        return [label, probabilities[:, 0] + 0.01, probabilities[:, 1] + 0.01]


@pytest.mark.parametrize("name", ["strings", "every_dtype", "gather"])
def test_text_integers_and_booleans(tmp_path: Path, name: str) -> None:
    inputs = {tensor.name: EXAMPLES.get(tensor.dtype, [1, 0, 2]) for tensor in read_signature(model_path(name)).inputs}
    outputs = scores_of(name, inputs)
    create_project(tmp_path / "mine", model_path(name), (), rows=parquet(tmp_path, inputs | outputs))
    assert findings(Project.find(tmp_path / "mine")) == []
    for output, scores in outputs.items():
        last = scores[2]
        wrong = "other" if isinstance(last, str) else not last if isinstance(last, bool) else last + 1
        folder = tmp_path / f"wrong_{output}"
        create_project(
            folder, model_path(name), (), rows=parquet(tmp_path, inputs | outputs | {output: [*scores[:2], wrong]})
        )
        [finding] = findings(Project.find(folder))
        assert finding.message.startswith(f"row 3 of the trainer's rows: `{output}` is ")


def test_a_row_that_the_model_refuses(tmp_path: Path) -> None:
    """The table of `gather` has no entry 99."""
    rows: dict[str, list[Any]] = {"i": [0, 99], "x": [0.0, 0.0]}
    outputs = scores_of("gather", {"i": [0, 1, 2], "x": [0.0, 0.0, 0.0]})
    rows |= {name: values[:2] for name, values in outputs.items()}
    create_project(tmp_path / "mine", model_path("gather"), (), rows=parquet(tmp_path, rows))
    [finding] = findings(Project.find(tmp_path / "mine"))
    assert finding.message.startswith("row 2 of the trainer's rows: `y` is refused (")
    assert "idx=99 must be within" in finding.message
    assert finding.facts[1] == "the model refuses rows that its trainer scored"


EXAMPLES: dict[str, list[Any]] = {"string": ["AA", "B6", "?"], "bool": [True, False, True]}


def scores_of(name: str, inputs: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the outputs of a model with one tensor for each column, from ONNX Runtime; each element is a column."""
    session = onnxruntime.InferenceSession(model_path(name))
    feeds = {
        tensor.name: np.array(inputs[tensor.name], object if tensor.dtype == "string" else tensor.dtype).reshape(
            [3, 1][: len(tensor.shape)]
        )
        for tensor in read_signature(model_path(name)).inputs
    }
    scores: dict[str, list[Any]] = {}
    for output, found in zip(session.get_outputs(), session.run(None, feeds), strict=True):
        columns = found.reshape(3, -1).T.tolist()
        names = [f"{output.name}[{i}]" for i in range(len(columns))] if len(columns) > 1 else [output.name]
        scores |= dict(zip(names, columns, strict=True))
    return scores


def parquet(folder: Path, columns: dict[str, list[Any]]) -> Path:
    file = folder / "rows.parquet"
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file
