"""Flink's Python workers on this machine as forks of one process that has imported all they need."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.local.flink_home import scripts
from pyflink_jobs.running.fast_start import worker_launcher
from pyflink_jobs.running.fast_start.worker_template import MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["RUNNER_FOLDER", "forked_workers"]

RUNNER_FOLDER = "PYFLINK_UDF_RUNNER_DIR"
"""The variable that tells Flink's JVM in which folder the script is that starts a worker."""

_SCRIPT = "pyflink-udf-runner.sh"
_MODULE = "pyflink.fn_execution.beam.beam_boot"


@contextmanager
def forked_workers(modules: Sequence[str] = MODULES, worker: str = _MODULE) -> Iterator[Path]:
    """Start the template process; yield a folder for `RUNNER_FOLDER`.

    `modules` are what it imports, `worker` the module that a worker runs.
    """
    with tempfile.TemporaryDirectory(prefix="millstream-") as name, socket.socket(socket.AF_UNIX) as listener:
        folder = Path(name)
        address = folder / "socket"
        listener.bind(str(address))
        listener.listen()
        _write(folder / _SCRIPT, [sys.executable, "-I", "-S", worker_launcher.__file__, str(address), worker])
        command = [
            sys.executable,
            "-m",
            "pyflink_jobs.running.fast_start.worker_template",
            str(listener.fileno()),
            *modules,
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # it ends with this process, however that ends
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for this process alone
        ) as template:
            try:
                yield folder
            finally:
                template.kill()


def _write(file: Path, launcher: list[str]) -> None:
    file.write_text(f'#!/bin/sh\nexec {shlex.join([*launcher, str(scripts() / _SCRIPT)])} "$@"\n')
    file.chmod(0o700)
