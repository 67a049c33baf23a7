"""The environment of the peers in Python: made when one of them is first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pyflink_jobs.errors import LocalError

__all__ = ["packages", "python"]

_HERE = Path(__file__).parent
_LOCK = _HERE / "requirements.lock"
_FOLDER = _HERE / ".venv"
_INSTALLED = _FOLDER / "installed"  # the lock that it was made from


def python() -> Path:
    """Return the environment's Python; raises LocalError where the environment cannot be made."""
    interpreter = _FOLDER / "bin" / "python"
    if not _INSTALLED.is_file() or _INSTALLED.read_text() != _LOCK.read_text():
        _run(sys.executable, "-m", "venv", "--clear", str(_FOLDER))
        install = (
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            str(interpreter),
            "--require-hashes",
            "-r",
            str(_LOCK),
        )
        _run(sys.executable, "-m", *install)
        _INSTALLED.write_text(_LOCK.read_text())
    return interpreter


def packages() -> dict[str, str]:
    """Return what is in the environment: package to version."""
    lines = _run(sys.executable, "-m", "uv", "pip", "freeze", "--python", str(python())).splitlines()
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def _run(*command: str) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise LocalError(
            "the environment of the Python peers cannot be made",
            facts=tuple(run.stderr.strip().splitlines()[-4:]),
            ways_out=(
                "connect this machine to the network and try again",
                "compare without them: --only none --only mlp",
            ),
            detail=run.stderr,
        )
    return run.stdout
