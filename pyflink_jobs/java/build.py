"""Our few Java classes as a jar, compiled by the compiler that Flink carries with it: no JDK is needed.

Flink compiles what it generates for SQL with Janino. It knows Java's syntax without lambdas and annotations, and takes
generics for what they are at run time, which is why the sources in `pyflink_jobs/java/` are written without them.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyflink_jobs.local.jars import cache_folder

__all__ = ["compile_java", "jar_name", "java_classes", "write_jar"]

_SOURCES = Path(__file__).parent
_FACTORIES = tuple(f"millstream.{name}Factory" for name in ("CheckedJson", "CheckedAvro", "QuickJson", "QuickAvro"))
_JAVA_VERSION = 8  # of the byte code: the newest that Janino writes


def java_classes() -> Path:
    """Return the jar of our Java classes, compiled when the cache has none of these sources and this Flink."""
    sources = sorted(_SOURCES.glob("*.java"))
    jar = cache_folder() / "jars" / jar_name("millstream", sources)
    if not jar.is_file():
        # Flink finds formats by this file.
        services = {"META-INF/services/org.apache.flink.table.factories.Factory": "\n".join(_FACTORIES).encode()}
        write_jar(jar, {**services, **compile_java(sources)})
    return jar


def jar_name(beginning: str, sources: list[Path]) -> str:
    """Return a jar's file name, another one for other sources or another compiler."""
    digest = hashlib.sha256(version("apache-flink").encode())
    for source in sources:
        digest.update(source.read_bytes())
    return f"{beginning}-{digest.hexdigest()[:16]}.jar"


def compile_java(sources: list[Path]) -> dict[str, bytes]:
    """Return class files by their names in a jar; starts the JVM.

    What they are compiled with is on its class path, or in its thread's context class loader.
    Raises Py4JJavaError with the compiler's message where a source is wrong.
    """
    from pyflink.java_gateway import get_gateway

    gateway: Any = get_gateway()
    java = gateway.jvm
    resource = java.org.codehaus.commons.compiler.util.resource
    loader = java.org.codehaus.janino.ClassLoaderIClassLoader(java.Thread.currentThread().getContextClassLoader())
    compiler = java.org.codehaus.janino.Compiler(resource.ResourceFinder.EMPTY_RESOURCE_FINDER, loader)
    compiled = resource.MapResourceCreator()
    compiler.setClassFileCreator(compiled)
    compiler.setSourceVersion(_JAVA_VERSION)
    compiler.setTargetVersion(_JAVA_VERSION)
    texts = gateway.new_array(resource.Resource, len(sources))
    for index, source in enumerate(sources):
        texts[index] = resource.StringResource(source.name, source.read_text(encoding="utf-8"))
    compiler.compile(texts)
    return {name: bytes(content) for name, content in compiled.getMap().items()}


def write_jar(jar: Path, files: dict[str, bytes]) -> None:
    """Put a jar in its place whole; several processes may do this at once."""
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compile-", dir=jar.parent) as private:
        made = Path(private) / jar.name
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(name), content)
        made.replace(jar)
