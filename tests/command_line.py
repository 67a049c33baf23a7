"""Run `millstream`: in this process, which has a JVM already, or in one of its own, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.cli import main

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Ran", "call", "millstream", "process_call", "run_python"]


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def millstream(project: Path, *words: str) -> Ran:
    """Run a command in this process. A process of its own would take seconds for its imports, and more for its JVM."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(["--project", str(project), *words])
    return Ran(int(end.value.code or 0), out.getvalue(), err.getvalue())


def call(project: Path, *words: str) -> list[str]:
    """Return the command line of a process that runs a command."""
    return [sys.executable, "-m", "pyflink_jobs", "--project", str(project), *words]


def process_call(project: Path, *words: str, cwd: Path | None = None, **variables: str) -> Ran:
    """Run a command in a process of its own."""
    run = subprocess.run(
        call(project, *words), cwd=cwd, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    return Ran(run.returncode, run.stdout, run.stderr)


def run_python(
    program: str, cwd: Path | None = None, timeout: float | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python process of its own, with `variables` beside those of the environment."""
    command, env = [sys.executable, "-c", program], {**os.environ, **variables}
    return subprocess.run(command, cwd=cwd, env=env, timeout=timeout, capture_output=True, text=True, check=False)
