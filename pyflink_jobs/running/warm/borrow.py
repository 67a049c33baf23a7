"""Use the JVM that `millstream up` keeps, if it is there and is what this process would start itself."""

from __future__ import annotations

import json
import re
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pyflink_jobs.project.functions import FUNCTIONS
from pyflink_jobs.running.fast_start.fingerprint import fingerprint
from pyflink_jobs.running.fast_start.jvm_options import are_the_users
from pyflink_jobs.running.warm.keeper import ADDRESS, folder

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

__all__ = ["borrow_jvm", "is_borrowed"]

_FUNCTION = re.compile(rb"CREATE\s+(\w+\s+){0,2}FUNCTION", re.IGNORECASE)
_ANSWERS_WITHIN = 2.0  # seconds; else this process starts a JVM itself
_held: list[socket.socket] = []
"""The connection to the keeper: what this process has made in the JVM is given up when it closes."""


def is_borrowed() -> bool:
    """Return whether this process uses a JVM that another one has started."""
    return bool(_held)


def borrow_jvm(project: Project) -> bool:
    """Let PyFlink use the kept JVM from now on; return whether there is one. Before PyFlink has one of its own."""
    from pyflink import java_gateway

    if java_gateway._gateway is not None or not _may_be_lent(project):  # noqa: SLF001 - PyFlink has no other way
        return is_borrowed()
    lent = _ask(project)
    if lent is None:
        return False
    from py4j.java_gateway import GatewayParameters, JavaGateway
    from pyflink.util.exceptions import install_exception_handler, install_py4j_hooks

    parameters = GatewayParameters(port=lent["port"], auth_token=lent["token"], auto_convert=True)
    java_gateway._gateway = JavaGateway(gateway_parameters=parameters)  # noqa: SLF001 - as above
    java_gateway.import_flink_view(java_gateway._gateway)  # noqa: SLF001 - as above
    install_exception_handler()
    install_py4j_hooks()
    return True


def _may_be_lent(project: Project) -> bool:
    """Return whether a project's commands may use a JVM that another process has started.

    Flink imports a project's own functions in the process that started the JVM, which may have an older version of
    them. And the user's options of the JVM are for a JVM of one's own.
    """
    if not project.settings.speedups or are_the_users() or (project.root / FUNCTIONS).exists():
        return False
    return not any(_FUNCTION.search(file.read_bytes()) for file in project.sql.rglob("*.sql"))


def _ask(project: Project) -> dict[str, object] | None:
    with ExitStack() as stack:
        try:
            address = (folder(project) / ADDRESS).read_text()
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(_ANSWERS_WITHIN)
            connection.connect(address)
            connection.sendall(f"{fingerprint()}\n".encode())
            answer: dict[str, object] = json.loads(connection.makefile().readline() or "{}")
        except (OSError, ValueError):
            return None
        if not answer:
            return None
        stack.pop_all()
        _held.append(connection)
        return answer
