"""The peers in Java: compiled as Millstream's own classes are, run without Python."""

from __future__ import annotations

import os
from pathlib import Path

from pyflink_jobs.java.build import compile_java, digest, write_jar
from pyflink_jobs.local.flink_home import jars_of_flink
from pyflink_jobs.local.jars import cache_folder, jars
from pyflink_jobs.local.java import find_java

__all__ = ["HEAP", "JAR_SECTIONS", "flink_job", "kafka_streams_application"]

JAR_SECTIONS = ("flink-kafka", "kafka-streams", "onnxruntime")
"""Of the locked jars, those that peers run with."""
_SOURCES = Path(__file__).with_name("java")
HEAP = "-Xmx2g"  # as much as `millstream run` gives its JVM
# What Flink's own scripts open to it.
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "java.lang.reflect", "java.text", "java.time", "java.util")


def flink_job(main_class: str) -> list[str]:
    """Return the command that runs a class of `java/flink/` with the Flink that Millstream runs on."""
    libraries = [*jars("flink-kafka"), *jars("onnxruntime")]
    flink = [*jars_of_flink(), *libraries]
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    return _command([*opened, "-cp", _class_path(_classes("flink", flink), *flink), main_class])


def kafka_streams_application(main_class: str) -> list[str]:
    """Return the command that runs a class of `java/kafka_streams/`."""
    libraries = [*jars("kafka-streams"), *jars("onnxruntime")]
    return _command(["-cp", _class_path(_classes("kafka_streams", libraries), *libraries), main_class])


def _command(arguments: list[str]) -> list[str]:
    return [str(find_java().executable), HEAP, *arguments]


def _class_path(*paths: Path) -> str:
    return os.pathsep.join(str(path) for path in paths)


def _classes(kind: str, libraries: list[Path]) -> Path:
    """Return the jar of the classes of `java/` and of one of its folders, compiled where the cache has none of them."""
    sources = [*sorted(_SOURCES.glob("*.java")), *sorted((_SOURCES / kind).glob("*.java"))]
    jar = cache_folder() / "jars" / f"peers-{kind}-{digest(sources)}.jar"
    if not jar.is_file():
        write_jar(jar, compile_java(sources, libraries))
    return jar
