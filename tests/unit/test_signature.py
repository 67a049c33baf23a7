"""What ONNX Runtime reports of a file, and what happens with files that are none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.unit.onnx_models import model_path
from udfs.scoring.signature import ModelFileError, Signature, Tensor, read_signature, sha256

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("mlp", Signature((Tensor("X", "float32", ("batch", 16)),), (Tensor("p", "float32", ("batch", 1)),))),
        ("fixed_batch", Signature((Tensor("X", "float32", (4, 3)),), (Tensor("y", "float32", (4, 1)),))),
        ("double", Signature((Tensor("X", "float64", ("batch", 3)),), (Tensor("y", "float64", ("batch", 1)),))),
        (
            "strings",
            Signature(
                (
                    Tensor("carrier", "string", (None, 1)),
                    Tensor("delay", "float32", (None, 1)),
                    Tensor("distance", "float32", (None, 1)),
                ),
                (Tensor("label", "int64", (None,)), Tensor("probabilities", "float32", (None, 2))),
            ),
        ),
        (
            "optional_input",
            Signature(
                (Tensor("x", "float32", ("batch",)), Tensor("scale", "float32", ("scales",), optional=True)),
                (Tensor("y", "float32", ("batch",)),),
            ),
        ),
        (
            "zipmap",
            Signature(
                (Tensor("X", "float32", (None, 4)),),
                (
                    Tensor("output_label", "int64", (None,)),
                    Tensor("output_probability", "sequence(map(int64,float32))", ()),
                ),
            ),
        ),
    ],
)
def test_signature(name: str, signature: Signature) -> None:
    assert read_signature(model_path(name)) == signature


def test_every_dtype_is_named_as_numpy_does() -> None:
    inputs = read_signature(model_path("every_dtype")).inputs
    assert [tensor.name for tensor in inputs] == [tensor.dtype for tensor in inputs]


def test_digest(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"abc")
    assert sha256(file) == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(model_path("mlp").read_bytes()[:keep])
    with pytest.raises(ModelFileError, match=rf"{file} cannot be loaded as an ONNX model \({keep:,} bytes\)"):
        read_signature(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    for read in (read_signature, sha256):
        with pytest.raises(ModelFileError, match=f"{file} cannot be read: No such file"):
            read(file)
