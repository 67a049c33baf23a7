"""Our Java classes as a jar: `python -m pyflink_jobs.java.build` compiles them, a wheel has them compiled.

The compiler is Eclipse's (ECJ), one jar that runs on a Java without a JDK. The jar's manifest has the digest of the
sources that it was made from. In a source tree, whoever needs the jar rebuilds it where the sources beside it differ.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local.flink_home import jars_of_flink
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import find_java

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["class_path_of_flink", "compile_java", "digest", "java_classes", "write_jar"]

_SOURCES = Path(__file__).parent
_JAR = _SOURCES / "millstream.jar"
_TABLES = ("CheckedJson", "CheckedAvro", "QuickJson", "QuickAvro", "ResumingKafka")
_FACTORIES = tuple(f"millstream.{name}Factory" for name in _TABLES)
_MANIFEST = "META-INF/MANIFEST.MF"
_DIGEST = "Sources-SHA-256"
_COMPILER = "java-compiler"  # in jars.lock
_WARNINGS = ("-warn:-serial", "-failOnWarning")  # no class of ours is kept in serialised form
_QUICKLY = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the time, for a JVM that lives a few seconds
_PLANNER = ("flink-table-planner-loader-*.jar", "flink-table-planner.jar")  # Calcite is in a jar inside a jar
_JAVA_VERSION = 17  # of the language and the byte code: the oldest that Flink 2.3 runs on


def java_classes() -> Path:
    """Return the jar of our Java classes; it is built first where it is missing or of other sources.

    Raises LocalError where it cannot be built.
    """
    sources = sorted(_SOURCES.glob("*.java"))
    wanted = digest(sources)
    if _digest_in(_JAR) != wanted:
        _build(sources, wanted)
    return _JAR


def _build(sources: list[Path], wanted: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        flink = class_path_of_flink()
        libraries = [*flink, *_planner(flink, Path(folder)), *jars("flink-kafka")]
        classes = compile_java(sources, libraries, _WARNINGS)
    manifest = f"Manifest-Version: 1.0\n{_DIGEST}: {wanted}\n"
    # Flink finds formats and connectors by this file.
    services = {"META-INF/services/org.apache.flink.table.factories.Factory": "\n".join(_FACTORIES)}
    texts = {name: text.encode() for name, text in {_MANIFEST: manifest, **services}.items()}
    try:
        write_jar(_JAR, {**texts, **classes})
    except PermissionError as error:
        raise LocalError(
            "the Java classes are not built, and this user cannot write them",
            facts=(f"expected {_JAR}",),
            fixes=("run as the owner of that folder: python -m pyflink_jobs.java.build",),
        ) from error


def _planner(flink: Iterable[Path], folder: Path) -> list[Path]:
    """Take the jar of Flink's planner out of the jar that it is in; return it, or nothing where it is by itself."""
    outer, inner = _PLANNER
    for jar in flink:
        if jar.match(outer):
            with zipfile.ZipFile(jar) as archive:
                return [Path(archive.extract(inner, folder))]
    return []


def digest(sources: Iterable[Path]) -> str:
    """Return what a jar of these sources is known by: 16 hexadecimal digits of a SHA-256."""
    found = hashlib.sha256()
    for source in sources:
        content = source.read_bytes()
        found.update(f"{source.name} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]


def _digest_in(jar: Path) -> str | None:
    """Return the digest of the sources that a jar was built from, None where there is no such jar."""
    try:
        with zipfile.ZipFile(jar) as archive:
            found = re.search(rf"^{_DIGEST}: (\w+)", archive.read(_MANIFEST).decode(), re.MULTILINE)
    except (FileNotFoundError, zipfile.BadZipFile, KeyError):
        return None
    return found and found[1]


def class_path_of_flink() -> list[Path]:
    """Return Flink's jars: those of the package, else those in `FLINK_HOME`, as in Flink's own images."""
    return jars_of_flink() or sorted(Path(os.environ.get("FLINK_HOME", ""), "lib").glob("*.jar"))


def compile_java(
    sources: Iterable[Path], class_path: Iterable[Path], warnings: Iterable[str] = ("-nowarn",)
) -> dict[str, bytes]:
    """Return class files by their names in a jar; `warnings` are the compiler's options about those.

    Raises LocalError with the compiler's message where a source is wrong.
    """
    [compiler] = jars(_COMPILER)
    with tempfile.TemporaryDirectory() as folder:
        # Flink reads the names of a table function's arguments and states from the class.
        options = [f"-{_JAVA_VERSION}", "-parameters", "-proc:none", *warnings, "-encoding", "UTF-8", "-d", folder]
        libraries = os.pathsep.join(map(str, class_path))
        java = [str(find_java().executable), *_QUICKLY, "-jar", str(compiler)]
        command = [*java, *options, "-classpath", libraries, *map(str, sources)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LocalError("the Java sources do not compile", detail=done.stderr)
        files = Path(folder).rglob("*.class")
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def write_jar(jar: Path, files: dict[str, bytes]) -> None:
    """Write a jar whole, the same bytes for the same files; several processes may do this at once."""
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".compile-", dir=jar.parent) as private:
        made = Path(private) / jar.name
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(name), content)
        made.replace(jar)


if __name__ == "__main__":
    print(java_classes())  # noqa: T201 - what the command returns
