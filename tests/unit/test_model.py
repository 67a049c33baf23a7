"""Loading: verified, once per process, and refused with words where the file is not what it should be."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.onnx_models import SCORABLE, model_path, model_spec
from udfs.scoring.model import Input, ModelSpec, Output, load_model
from udfs.scoring.signature import ModelFileError, sha256

if TYPE_CHECKING:
    from pathlib import Path


def test_one_session_for_each_digest_also_from_many_threads(tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(model_path("linear").read_bytes())
    specs = [model_spec("linear"), replace(model_spec("linear"), path=str(copy)), model_spec("double")] * 8
    with ThreadPoolExecutor(8) as threads:
        models = list(threads.map(load_model, specs))
    assert len({id(model.session) for model in models}) == 2
    assert models[0].session is models[1].session


def test_a_session_has_one_thread() -> None:
    options = load_model(model_spec("linear")).session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(model_path("linear").read_bytes() + b"\0")
    expected = "0" * 64
    with pytest.raises(ModelFileError) as error:
        load_model(model_spec("linear", path=str(file), sha256=expected, version="3"))
    for fact in (str(file), sha256(file), expected, "model linear, version 3"):
        assert fact in str(error.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(model_path("mlp").read_bytes()[:-500])
    with pytest.raises(ModelFileError, match=f"{file} cannot be loaded as an ONNX model"):
        load_model(model_spec("mlp", path=str(file), sha256=sha256(file)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"gone\.onnx cannot be read"):
        load_model(model_spec("linear", path=str(tmp_path / "gone.onnx"), sha256="0" * 64))


def test_zipmap_is_refused_with_the_way_out_but_its_label_is_not() -> None:
    path = model_path("zipmap")
    inputs = tuple(Input(f"x{i}", "X", "float32") for i in range(4))
    label = Output("label", "output_label", None, "int64")
    spec = ModelSpec("zipmap", "1", str(path), sha256(path), inputs, (label,))
    assert load_model(spec).spec is spec
    with pytest.raises(ModelFileError, match=r"output `output_probability` is a sequence of maps.*zipmap=False"):
        load_model(replace(spec, outputs=(label, Output("p", "output_probability", None, "float64"))))


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("linear", {"inputs": (Input("a", "Z", "float32"),)}, "no input `Z`; it has X"),
        ("linear", {"inputs": (Input("a", "X", "float32"),)}, r"input `X` has shape \['batch', 3\], but gets 1 col"),
        ("linear", {"outputs": (Output("p", "q", None, "float64"),)}, "no output `q`; it has y"),
        ("linear", {"outputs": (Output("p", "y", 1, "float64"),)}, r"output `y` has shape .* element 1 per row"),
        (
            "label_probabilities",
            {"outputs": (Output("p", "probabilities", None, "float64"),)},
            "one value per row is wanted for `p`",
        ),
        ("batch_mean", {}, r"output `y` has shape \[1, 1\] for 512 rows"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(name: str, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ModelFileError, match=f"{model_path(name)}: .*{words}"):
        load_model(model_spec(name, **changes))


@pytest.mark.parametrize("name", SCORABLE)
def test_a_spec_can_be_sent_to_a_worker(name: str) -> None:
    spec = model_spec(name)
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - our own
    assert load_model(spec).spec == spec


def test_the_core_imports_neither_pyflink_nor_pandas() -> None:
    program = (
        "import sys, udfs.scoring.inference, udfs.scoring.arguments\n"
        "print([name for name in ('pyflink', 'pandas', 'pyarrow', 'scipy', 'pyflink_jobs') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
