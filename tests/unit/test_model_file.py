from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import ProjectError
from pyflink_jobs.planning.declare import declare
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.planning.declarations import Declarations

MATRIX = ("delay", "distance", "hour")


def declarations(
    folder: Path,
    onnx: str,
    inputs: str,
    outputs: str = "y FLOAT",
    options: str = "",
    columns: tuple[str, ...] = (),
) -> Declarations:
    """Declare one model `m` on a file of the unit tests; INPUT begins in line 2, one column a line."""
    listed = ",\n".join(inputs.split(", "))
    more = f", {options}" if options else ""
    sql = f"CREATE MODEL m INPUT (\n{listed}\n)\nOUTPUT ({outputs})\nWITH ('provider' = 'onnx'{more})"
    project = make_project(folder, {"models/m": sql})
    add_model(project, "m", onnx, columns)
    return declare(project)


def lines(findings: list[Finding]) -> list[tuple[int | None, str]]:
    return [(f.place.line if f.place else None, f.message) for f in findings]


def test_a_matrix_model_takes_its_columns_by_position(tmp_path: Path) -> None:
    found = declarations(tmp_path, "linear", "delay FLOAT, distance FLOAT, hour FLOAT", columns=MATRIX)
    assert found.findings == []
    spec = found.models["m"].spec
    assert [(i.name, i.tensor, i.dtype) for i in spec.inputs] == [(name, "X", "float32") for name in MATRIX]
    assert [(o.name, o.tensor, o.element, o.dtype) for o in spec.outputs] == [("y", "y", None, "float32")]


def test_reordered_missing_and_string_are_three_findings_with_their_lines(tmp_path: Path) -> None:
    found = declarations(
        tmp_path,
        "label_probabilities",
        "c FLOAT, a FLOAT, b STRING",
        "p DOUBLE",
        "'output.p' = 'probabilities[1]'",
        ("a", "b", "c", "d"),
    )
    assert lines(found.findings) == [
        (2, "model input `d` is missing from INPUT"),
        (2, "model input `c` is where the model expects `a`: a matrix counts by position"),
        (4, "model input `b` is STRING, but the ONNX file expects float32"),
    ]
    assert all(finding.fixes for finding in found.findings)
    assert "skl2onnx: StringTensorType" in str(found.findings[2])
    assert "models/m/1/model.onnx" in str(found.findings[2])


def test_a_name_the_model_does_not_know(tmp_path: Path) -> None:
    found = declarations(tmp_path, "linear", "delay FLOAT, distanse FLOAT, hour FLOAT", columns=MATRIX)
    assert lines(found.findings) == [
        (2, "model input `distance` is missing from INPUT"),
        (3, "the model has no input `distanse`"),
    ]
    assert "write `distance`" in found.findings[1].fixes


@pytest.mark.parametrize(("inputs", "count"), [("a FLOAT, b FLOAT", 2), ("a FLOAT, b FLOAT, c FLOAT, d FLOAT", 4)])
def test_without_names_in_the_card_the_width_counts(tmp_path: Path, inputs: str, count: int) -> None:
    assert lines(declarations(tmp_path, "linear", inputs).findings) == [
        (2, f"INPUT has {count} columns, but the ONNX file expects 3"),
    ]


def test_one_tensor_for_each_column_counts_by_name(tmp_path: Path) -> None:
    outputs, option = "p DOUBLE, l BIGINT", "'output.p' = 'probabilities[1]', 'output.l' = 'label'"
    found = declarations(tmp_path, "strings", "distance FLOAT, carrier VARCHAR(2), delay FLOAT", outputs, option)
    assert found.findings == []
    spec = found.models["m"].spec
    assert [(i.tensor, i.dtype) for i in spec.inputs] == [
        ("distance", "float32"),
        ("carrier", "string"),
        ("delay", "float32"),
    ]
    assert [(o.tensor, o.element, o.dtype) for o in spec.outputs] == [
        ("probabilities", 1, "float64"),
        ("label", None, "int64"),
    ]


def test_optional_inputs_may_be_left_out_or_named(tmp_path: Path) -> None:
    assert declarations(tmp_path / "without", "optional_input", "x FLOAT").findings == []
    missing = declarations(tmp_path / "only", "optional_input", "scale FLOAT").findings
    assert lines(missing) == [(2, "model input `x` is missing from INPUT")]


def test_every_dtype_has_its_sql_type(tmp_path: Path) -> None:
    right = (
        "int64 BIGINT, int32 INT, int16 SMALLINT, int8 TINYINT, bool BOOLEAN, "
        "float16 FLOAT, float64 DOUBLE, string STRING"
    )
    outputs = (
        "int64_out BIGINT, int8_out INT, bool_out BOOLEAN, float16_out DOUBLE, float64_out DOUBLE, string_out STRING"
    )
    assert declarations(tmp_path / "right", "every_dtype", right, outputs).findings == []
    wrong = declarations(tmp_path / "wrong", "every_dtype", right.replace("BIGINT", "DOUBLE"), "float64_out FLOAT")
    assert lines(wrong.findings) == [
        (11, "OUTPUT column `float64_out` is FLOAT, but the ONNX file gives float64"),
        (2, "model input `int64` is DOUBLE, but the ONNX file expects int64"),
    ]


@pytest.mark.parametrize(
    ("onnx", "outputs", "options", "message", "way"),
    [
        ("zipmap", "p DOUBLE", "'output.p' = 'output_probability'", "sequence of maps", "zipmap=False"),
        ("label_probabilities", "p DOUBLE", "", "has no output `p`", "'output.p' = 'probabilities[1]'"),
        ("label_probabilities", "p DOUBLE", "'output.p' = 'probabilities'", "has 2 values a row", "probabilities[1]"),
        ("label_probabilities", "p DOUBLE", "'output.p' = 'probabilities[2]'", "none at [2]", "probabilities[1]"),
        ("label_probabilities", "p INT", "'output.p' = 'probabilities[1]'", "is INT", "declare `p` DOUBLE"),
        ("string_label", "l BIGINT", "'output.l' = 'label'", "is BIGINT", "declare `l` STRING"),
        ("trees", "model_version DOUBLE", "'output.model_version' = 'probabilities[1]'", "another name", ""),
        ("trees", "p DOUBLE", "'output.q' = 'label'", "unknown option 'output.q'", "output.p"),
        ("trees", "label BIGINT", "'null-inputs' = 'skip'", "'null-inputs' is 'skip'", ""),
        ("trees", "label BIGINT", "'time-limit' = '10'", "'time-limit' is '10'", "'10 s'"),
        ("trees", "label BIGINT", "'time-limit' = '0 s'", "'time-limit' is '0 s'", "'10 s'"),
        ("trees", "label BIGINT", "'versoin' = '1'", "unknown option 'versoin'", "'version'"),
    ],
)
def test_outputs_and_options(tmp_path: Path, onnx: str, outputs: str, options: str, message: str, way: str) -> None:
    found = declarations(tmp_path, onnx, "a FLOAT, b FLOAT, c FLOAT, d FLOAT", outputs, options).findings
    assert message in found[0].message
    assert way in " ".join(found[0].fixes)


def test_limits_travel_to_the_worker(tmp_path: Path) -> None:
    sql = "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx'{})"
    for folder, option, settings, expected in [
        ("default", "", "", (10.0, 2 * 1024**3)),
        ("ms", ", 'time-limit' = '500 ms'", "worker_memory = '512mb'", (0.5, 512 * 1024**2)),
        ("min", ", 'time-limit' = '1.5 MIN'", "worker_memory = '1.5 GB'", (90.0, 1536 * 1024**2)),
    ]:
        project = make_project(tmp_path / folder, {"models/m": sql.format(option)}, settings)
        add_model(project, "m", "linear")
        spec = declare(project).models["m"].spec
        assert (spec.time_limit, spec.worker_memory) == expected
    with pytest.raises(ProjectError, match="worker_memory is '2', expected a size of memory"):
        make_project(tmp_path / "wrong", {}, "worker_memory = '2'")


def test_a_model_that_is_changed_after_its_card_was_written(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {"models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx')"},
    )
    onnx = add_model(project, "m", "linear")
    onnx.write_bytes(onnx.read_bytes() + b"\0")
    (finding,) = declare(project).findings
    assert "not the one that the model's card describes" in finding.message
    assert str(finding.place) == "models/m/1/model.onnx"


def test_a_model_file_that_is_damaged_since_before_its_card(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {"models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx')"},
    )
    onnx = add_model(project, "m", "linear")
    onnx.write_bytes(onnx.read_bytes()[:40])
    card = json.loads(onnx.with_name("model.json").read_text())
    card["sha256"] = hashlib.sha256(onnx.read_bytes()).hexdigest()
    onnx.with_name("model.json").write_text(json.dumps(card))
    (finding,) = declare(project).findings
    assert "ONNX Runtime cannot read the model" in finding.message


@pytest.mark.parametrize(
    ("option", "message"),
    [("", "there is no model `lateness`"), (", 'version' = '7'", "there is no model `lateness`")],
)
def test_an_unknown_model_names_the_near_one(tmp_path: Path, option: str, message: str) -> None:
    sql = f"CREATE MODEL lateness INPUT (a FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx'{option})"
    project = make_project(tmp_path, {"models/m": sql})
    add_model(project, "late", "linear")
    (finding,) = declare(project).findings
    assert finding.message == message
    assert "write late in CREATE MODEL" in finding.fixes


def test_versions_are_compared_by_number(tmp_path: Path) -> None:
    inputs = "INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT)"
    sql = {
        "models/new": f"CREATE MODEL m {inputs} WITH ('provider' = 'onnx')",
    }
    project = make_project(tmp_path, sql)
    for version in ("2", "10", "9"):
        add_model(project, "m", "linear", version=version)
    assert declare(project).models["m"].spec.version == "10"
    (project.sql / "models" / "new.sql").write_text(
        f"CREATE MODEL m {inputs}\nWITH ('provider' = 'onnx', 'version' = '3')"
    )
    (finding,) = declare(project).findings
    assert finding.message == "model `m` has no version 3"
    assert finding.facts == ("models/m/ has: 2, 9, 10",)
    assert str(finding.place) == "sql/models/new.sql:2:28"


CALL = "INSERT INTO t SELECT * FROM ML_PREDICT(TABLE f, MODEL m,\n DESCRIPTOR({}))"


@pytest.mark.parametrize(
    ("descriptor", "message", "place"),
    [
        ("a, b", "DESCRIPTOR names 2 columns, model `m` expects 3", "sql/jobs/j.sql:2:13"),
        ("b, a, c", "column `b` is where model `m` expects `a`", "sql/jobs/j.sql:2:13"),
        ("x, y, b", "column `b` is where model `m` expects `c`", "sql/jobs/j.sql:2:19"),
    ],
)
def test_descriptor_against_input(tmp_path: Path, descriptor: str, message: str, place: str) -> None:
    model = "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx')"
    project = make_project(tmp_path, {"models/m": model, "jobs/j": CALL.format(descriptor)})
    add_model(project, "m", "linear")
    (finding,) = declare(project).findings
    assert (finding.message, str(finding.place)) == (message, place)


def test_a_call_of_an_undeclared_model(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"jobs/j": CALL.format("a")})
    (finding,) = declare(project).findings
    assert finding.message == "there is no model `m`"
    assert str(finding.place) == "sql/jobs/j.sql:1:55"
