"""Whether a JVM that stays is still the one that a command would start itself."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.java.build import java_classes
from pyflink_jobs.local.java import find_java
from pyflink_jobs.project.functions import FUNCTIONS
from pyflink_jobs.running.fast_start.flink_jars import prepare_folder
from pyflink_jobs.running.fast_start.jvm_options import are_the_users

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

__all__ = ["fingerprint", "may_be_lent"]

_FUNCTION = re.compile(rb"CREATE\s+(\w+\s+){0,2}FUNCTION", re.IGNORECASE)
_PACKAGES = Path(__file__).parents[3]


def may_be_lent(project: Project) -> bool:
    """Return whether a project's commands may use a JVM that another process has started.

    Flink imports a project's own functions in the process that started the JVM, which may have an older version of
    them. And the user's options of the JVM are for a JVM of one's own.
    """
    if not project.settings.speedups or are_the_users() or (project.root / FUNCTIONS).exists():
        return False
    return not any(_FUNCTION.search(file.read_bytes()) for file in project.sql.rglob("*.sql"))


def fingerprint() -> str:
    """Return a digest of what the JVM and its workers are made of: Java, its jars, this Python and these modules."""
    jar = java_classes()
    modules = [file for name in ("pyflink_jobs", "udfs") for file in sorted((_PACKAGES / name).rglob("*.py"))]
    facts = [sys.executable, str(prepare_folder(find_java()))]
    facts += [f"{file} {file.stat().st_mtime_ns}" for file in (jar, *modules)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
