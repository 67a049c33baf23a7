"""The endpoint that a Flink worker asks what to do: it has nothing to do, and may end once it has asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import grpc
from apache_beam.portability.api.org.apache.beam.model.fn_execution.v1 import (
    beam_fn_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Endpoint"]


class Endpoint:
    """Beam's three services that a worker looks for; `asked` is set when it waits for work."""

    def __init__(self) -> None:
        self.asked = Event()
        self.server = grpc.server(ThreadPoolExecutor(8))
        beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(self, self.server)
        beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(self, self.server)
        beam_fn_api_pb2_grpc.add_BeamFnLoggingServicer_to_server(self, self.server)
        self.address = f"localhost:{self.server.add_insecure_port('localhost:0')}"

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop(None).wait()

    def GetProvisionInfo(self, *_: object) -> Any:  # noqa: ANN401, N802 - Beam's types, Beam's name
        """Say where to ask for work, and where to log."""
        info = beam_provision_api_pb2.ProvisionInfo()
        info.control_endpoint.url = info.logging_endpoint.url = self.address
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=info)

    def GetProcessBundleDescriptor(self, *_: object) -> None:  # noqa: N802
        """Say nothing: a worker without work does not ask."""

    def Control(self, *_: object) -> Iterator[Any]:  # noqa: N802
        """Give no work: the worker ends."""
        self.asked.set()
        return iter(())

    def Logging(self, entries: Iterator[Any], _: object) -> Iterator[Any]:  # noqa: N802
        """Take what it logs."""
        list(entries)
        return iter(())
