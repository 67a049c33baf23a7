"""Files that a worker fetches: kept by their digest, and refused if they are others than those the job came with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from udfs.local_file import FileError, local_file

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"a model"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MILLSTREAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "files"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    file = tmp_path / "store" / "model.onnx"
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    return file


def test_a_path_is_taken_as_it_is(stored: Path, cache: Path) -> None:
    assert local_file(str(stored), "whatever") == stored
    assert not cache.exists()


def test_a_copy_is_fetched_once(stored: Path, cache: Path) -> None:
    copy = local_file(stored.as_uri(), SHA256)
    assert copy == cache / f"{SHA256}.onnx"
    assert copy.read_bytes() == CONTENT
    stored.unlink()
    assert local_file(stored.as_uri(), SHA256) == copy


def test_another_file_is_refused_and_not_kept(stored: Path, cache: Path) -> None:
    stored.write_bytes(b"another model")
    with pytest.raises(FileError, match=f"expected {SHA256}"):
        local_file(stored.as_uri(), SHA256)
    assert not cache.exists()


@pytest.mark.parametrize("uri", ["file:///nowhere/model.onnx", "gopher://bucket/model.onnx"])
def test_what_cannot_be_read(uri: str, cache: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        local_file(uri, SHA256)
    assert not cache.exists()
