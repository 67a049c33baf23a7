"""The environments of the peers in Python: made when one that needs it is first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pyflink_jobs.errors import LocalError

__all__ = ["packages", "python"]

_HERE = Path(__file__).parent


def python(peers: str) -> Path:
    """Return the Python of an environment, "loops", "spark" or "quix"; raises LocalError where it cannot be made."""
    lock = _HERE / "requirements" / f"{peers}.lock"
    folder = _HERE / ".venv" / peers
    installed = folder / "installed"  # the lock that it was made from
    interpreter = folder / "bin" / "python"
    if not installed.is_file() or installed.read_text() != lock.read_text():
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        install = ("install", "--quiet", "--python", str(interpreter), "--require-hashes", "-r", str(lock))
        _run(sys.executable, "-m", "uv", "pip", *install)
        installed.write_text(lock.read_text())
    return interpreter


def packages(peers: str) -> dict[str, str]:
    """Return what is in an environment: package to version."""
    lines = _run(sys.executable, "-m", "uv", "pip", "freeze", "--python", str(python(peers))).splitlines()
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def _run(*command: str) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise LocalError(
            "the environment of the Python peers cannot be made",
            facts=tuple(run.stderr.strip().splitlines()[-4:]),
            fixes=(
                "connect this machine to the network and try again",
                "compare without them: --only none --only mlp",
            ),
            detail=run.stderr,
        )
    return run.stdout
