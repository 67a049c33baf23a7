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


def test_a_rebuild_gives_the_same_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = build.java_classes()
    for source in jar.parent.glob("*.java"):
        shutil.copy(source, tmp_path)
    monkeypatch.setattr(build, "_SOURCES", tmp_path)
    monkeypatch.setattr(build, "_JAR", tmp_path / jar.name)
    rebuilt = build.java_classes()
    assert rebuilt.parent == tmp_path
    assert digests(rebuilt) == digests(jar)
    assert rebuilt.read_bytes() == jar.read_bytes()

    [source] = tmp_path.glob("KeyedHash.java")
    source.write_text(source.read_text().replace("HmacSHA256", "HmacSHA512"))
    changed = digests(build.java_classes())
    assert {name for name, found in digests(jar).items() if changed[name] != found} == {
        "META-INF/MANIFEST.MF",
        "millstream/KeyedHash.class",
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
