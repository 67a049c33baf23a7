"""The peers in Java: compiled as Millstream's own classes are, run by the same Flink without Python."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from pyflink_jobs.local.flink_home import scripts
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import find_java

__all__ = ["java_command"]

_SOURCES = Path(__file__).with_name("java")
# What Flink's own scripts open to it.
_OPENED = ("java.lang", "java.net", "java.io", "java.nio", "java.lang.reflect", "java.text", "java.time", "java.util")
_folder = TemporaryDirectory(prefix="millstream-peers-")  # goes with this process


def java_command(main_class: str) -> list[str]:
    """Return the command that runs a class of `java/`, with as much memory as `millstream run` gives its JVM."""
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    flink = sorted((scripts().parent / "lib").glob("*.jar"))
    paths = [str(_classes()), *(str(jar) for jar in (*flink, *_libraries()))]
    return [str(find_java().executable), "-Xmx2g", *opened, "-cp", os.pathsep.join(paths), main_class]


def _libraries() -> list[Path]:
    return [*jars("flink-kafka"), *jars("onnxruntime")]


@cache
def _classes() -> Path:
    """Return the folder of the compiled classes."""
    folder = Path(_folder.name)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:  # its JVM ends with it
        for name, content in child.submit(_compile, _libraries(), folder).result().items():
            file = folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
    return folder


def _compile(libraries: list[Path], log: Path) -> dict[str, bytes]:
    os.environ["JAVA_HOME"] = str(find_java().home)
    os.environ["FLINK_LOG_DIR"] = str(log)
    from pyflink.java_gateway import get_gateway  # noqa: PLC0415 - slow to import, and needs the JVM's settings first
    from pyflink.util.java_utils import add_jars_to_context_class_loader  # noqa: PLC0415

    from pyflink_jobs.running.java_classes import compile_java  # noqa: PLC0415

    get_gateway()
    add_jars_to_context_class_loader([jar.as_uri() for jar in libraries])
    return compile_java(sorted(_SOURCES.glob("*.java")))
