"""Java objects that Python no longer needs are released between two calls to the JVM, by the thread that calls.

py4j releases a Java object by a call of its own, made when Python's garbage collector finds the object, on whatever
thread that happens. While another call is running, it opens a second connection. The JVM serves each connection with a
thread, and Flink's planner keeps state by thread: if the next call takes the second connection, the planner misses its
state. Here the collector only writes down what to release.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from py4j.java_gateway import GatewayClient
from py4j.protocol import (
    ENTRY_POINT_OBJECT_ID,
    GATEWAY_SERVER_OBJECT_ID,
    MEMORY_COMMAND_NAME,
    MEMORY_DEL_SUBCOMMAND_NAME,
    is_error,
)

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway

__all__ = ["release_between_calls"]

_PERMANENT = (ENTRY_POINT_OBJECT_ID, GATEWAY_SERVER_OBJECT_ID)


class _Client(GatewayClient):  # type: ignore[misc]  # py4j ships no types
    """A client that sends what is to be released before its next command, on the same connection."""

    unused: deque[str]
    """The ids of the Java objects to be released. Appending needs no lock: a collection may come at any time."""

    def garbage_collect_object(self, target_id: str) -> None:
        if target_id not in _PERMANENT:
            self.unused.append(target_id)

    def send_command(self, command: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - py4j's signature
        with suppress(IndexError):  # there is nothing left to release
            while True:
                release = f"{MEMORY_COMMAND_NAME}{MEMORY_DEL_SUBCOMMAND_NAME}{self.unused.popleft()}\ne\n"
                if is_error(super().send_command(release))[0]:
                    break  # the JVM is gone: the command's own error says so
        return super().send_command(command, *arguments, **options)


def release_between_calls(gateway: JavaGateway) -> None:
    """Let the calls of a gateway release Java objects, from now on; calling this twice changes nothing."""
    client = gateway._gateway_client  # noqa: SLF001 - py4j has no other way to replace it
    if not isinstance(client, _Client):
        client.unused = deque()
        client.__class__ = _Client
