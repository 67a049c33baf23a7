"""Whether what an earlier command has left, a JVM or a plan, is what this one would make itself."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from pyflink_jobs.java.build import java_classes
from pyflink_jobs.local.java import find_java
from pyflink_jobs.running.fast_start.flink_jars import prepare_folder

__all__ = ["fingerprint"]

_PACKAGES = Path(__file__).parents[3]


def fingerprint() -> str:
    """Return a digest of what the JVM and its workers are made of: Java, its jars, this Python and these modules."""
    jar = java_classes()
    modules = [file for name in ("pyflink_jobs", "udfs") for file in sorted((_PACKAGES / name).rglob("*.py"))]
    facts = [sys.executable, str(prepare_folder(find_java()))]
    facts += [f"{file} {file.stat().st_mtime_ns}" for file in (jar, *modules)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
