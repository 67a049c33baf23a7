"""Who takes part: the model in the job, and the model in a server that is asked for a batch or for each row."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers.contestants import CONTESTANTS, MODELS, Contestant, Start
from pyflink_jobs.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.peers.contestants import Task

__all__ = ["EMBEDDED", "NAMES", "ROWS", "Server", "contestant", "model_server"]

EMBEDDED, BATCHES, ROWS = NAMES = ("embedded", "remote_batches", "remote_rows")
_SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True)
class Server:
    """A running model server: where it listens, and its process."""

    address: str
    pid: int


@contextmanager
def model_server(model: str = "mlp") -> Iterator[Server]:
    """Start a server of one of the benches' models; it ends with the block. Raises JobError where it does not start."""
    command = [sys.executable, str(_SERVER), str(MODELS / f"{model}.onnx")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout, "it is a pipe"  # noqa: S101
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise JobError("the model server did not start", fixes=(f"see why: {' '.join(command)}",))
            yield Server(f"127.0.0.1:{port}", process.pid)
        finally:
            process.kill()


def contestant(name: str, address: str) -> Contestant:
    """Return the contestant of that name; those that are remote ask the server at `address`."""
    embedded = replace(CONTESTANTS["mlp"], name=EMBEDDED)
    if name == EMBEDDED:
        return embedded

    def start(task: Task) -> Start:
        options = ["--batched"] if name == BATCHES else []
        command = [sys.executable, "-m", "bench.remote.job", str(task.project), address, *options]
        return Start(command, embedded.start(task).variables)

    return Contestant(name, "mlp", start)
