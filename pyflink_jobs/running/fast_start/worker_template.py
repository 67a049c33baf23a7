"""A Python process that has imported what Flink's workers import, and forks one of them at each request.

Started with a listening socket as its argument, and modules to import; ends when its standard input does. A request
is what `worker_launcher` sends. PyFlink and Beam take two seconds of CPU to import: here once, while the JVM starts,
and not again in each of a job's workers, all at once.

What starts a thread as it is imported, or opens a connection, must not be imported here: a fork has but one thread.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from importlib import import_module
from typing import Any

__all__ = ["MODULES", "main"]

MODULES = (
    "pyflink.fn_execution.beam.beam_sdk_worker_main",
    "pyflink.fn_execution.flink_fn_execution_pb2",
    "google.protobuf.json_format",
    "google.protobuf.text_format",
    "pandas",
    "pyflink.table.udf",
    "udfs.drift.counting",
    "udfs.drift.follow_windows",
    "udfs.drift.monitor",
)
"""What workers import. Not ONNX Runtime: it starts a thread."""

_LARGEST = 1 << 16  # bytes that are received at once


def main() -> None:
    """Import, then serve requests; in a fork, be the worker."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        import_module(module)
    gc.collect()
    gc.freeze()  # what is shared with the forks stays shared: no collection writes into it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a worker ended
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        request, files = _receive(connection)
        if set(request["path"]) <= set(sys.path) and os.fork() == 0:
            listener.close()
            connection.sendall(b"\1")
            _work(request, files)
            return
        connection.close()
        for file in files:
            os.close(file)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return a request, and the files that are to be its standard input, output and error."""
    text, files, _, _ = socket.recv_fds(connection, _LARGEST, 3)
    while more := connection.recv(_LARGEST):
        text += more
    return json.loads(text), list(files)


def _work(request: dict[str, Any], files: list[int]) -> None:
    """Run a module as its own process would; the connection stays open for so long."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text file, as Python opens it
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["", *request["arguments"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
