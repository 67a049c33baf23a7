"""The peers in Java: compiled as Millstream's own classes are, run without Python."""

from __future__ import annotations

import os
from pathlib import Path

from pyflink_jobs.java.build import compile_java, digest, write_jar
from pyflink_jobs.local.flink_home import jars_of_flink
from pyflink_jobs.local.jars import cache_folder, jars
from pyflink_jobs.local.java import find_java

__all__ = ["HEAP", "JAR_SECTIONS", "flink_job"]

JAR_SECTIONS = ("flink-kafka", "onnxruntime")
"""Of the locked jars, those that peers run with."""
_SOURCES = Path(__file__).with_name("java")
HEAP = "-Xmx2g"  # as much as `millstream run` gives its JVM
# What Flink's own scripts open to it.
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "java.lang.reflect", "java.text", "java.time", "java.util")


def flink_job(main_class: str) -> list[str]:
    """Return the command that runs a class of `java/` with the Flink that Millstream runs on."""
    flink = [*jars_of_flink(), *(jar for section in JAR_SECTIONS for jar in jars(section))]
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    class_path = os.pathsep.join(map(str, (_classes(flink), *flink)))
    return [str(find_java().executable), HEAP, *opened, "-cp", class_path, main_class]


def _classes(libraries: list[Path]) -> Path:
    """Return the jar of the classes of `java/`, compiled where the cache has none of them."""
    sources = sorted(_SOURCES.rglob("*.java"))
    jar = cache_folder() / "jars" / f"peers-{digest(sources)}.jar"
    if not jar.is_file():
        write_jar(jar, compile_java(sources, libraries))
    return jar
