"""The jar of our Java classes: rebuilt from its sources it has the same classes, and it follows them."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import LocalError
from pyflink_jobs.java import build

if TYPE_CHECKING:
    from pathlib import Path


def digests(jar: Path) -> dict[str, str]:
    with zipfile.ZipFile(jar) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def test_a_rebuild_gives_the_same_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment is added to a source: the jar of before is of other sources, and the new one has the same classes."""
    jar = build.java_classes()
    for file in (jar, *jar.parent.glob("*.java")):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(build, "_SOURCES", tmp_path)
    monkeypatch.setattr(build, "_JAR", tmp_path / jar.name)
    before = digests(build.java_classes())
    with (tmp_path / "KeyedHash.java").open("a") as source:
        source.write("// a comment\n")
    after = digests(build.java_classes())
    assert before == digests(jar)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {
        "META-INF/MANIFEST.MF"
    }


def test_the_factories_that_flink_looks_for_are_there() -> None:
    with zipfile.ZipFile(build.java_classes()) as archive:
        names = archive.read("META-INF/services/org.apache.flink.table.factories.Factory").decode().split()
        assert {f"{name.replace('.', '/')}.class" for name in names} <= set(archive.namelist())


def test_a_wrong_source_is_shown(tmp_path: Path) -> None:
    source = tmp_path / "Wrong.java"
    source.write_text("class Wrong { int one() { return missing; } }")
    with pytest.raises(LocalError) as caught:
        build.compile_java([source], [])
    assert "missing cannot be resolved" in (caught.value.detail or "")
