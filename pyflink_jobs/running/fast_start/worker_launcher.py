"""Started by Flink in place of its own script for a Python worker: asks the template process for a fork.

Arguments: the template's socket, the module that a worker runs, Flink's own script, and what Flink passes to that.
Where the template does not answer, or the worker needs another Python (`python.executable`) or a `PYTHONPATH` that the
template has not, Flink's own script runs.

A file alone, with the standard library alone: it is started as `python -I -S` to be there at once.
"""

import json
import os
import socket
import sys


def _absolute(path: str) -> str:
    """Return a path as Python has it in `sys.path`; pathlib takes ten milliseconds to import."""
    return os.path.abspath(path)  # noqa: PTH100 - without pathlib


def _fork(address: str, module: str, arguments: list[str]) -> bool:
    """Let the template fork a worker, and wait for the worker's end; say whether there was one."""
    request = {
        "module": module,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - without pathlib
        "path": [_absolute(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry],
    }
    if "_PYTHON_WORKING_DIR" in os.environ:  # archives, which Flink's script unpacks the interpreter from
        return False
    if os.environ.get("python", sys.executable) != sys.executable:  # noqa: SIM112 - Flink spells it so
        return False
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            log = os.path.join(os.environ["BOOT_LOG_DIR"], "flink-python-udf-boot.log")  # noqa: PTH118 - without pathlib
            output = os.open(
                log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
            )  # what Flink shows when a worker does not come
            text = json.dumps(request).encode()
            sent = socket.send_fds(connection, [text], [0, output, output])
            connection.sendall(text[sent:])
            connection.shutdown(socket.SHUT_WR)
            os.close(output)
            started = connection.recv(1) == b"\1"
            connection.recv(1)  # nothing comes: it ends with the worker
            return started
    except OSError:
        return False


if __name__ == "__main__":
    _, address, module, script, *arguments = sys.argv
    if not _fork(address, module, arguments):
        os.execv(script, [script, *arguments])  # noqa: S606 - Flink's own script
