"""Flink's REST interface: queries, requests, and operations that run in the background."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from pyflink_jobs.causes import summarize
from pyflink_jobs.errors import ClusterError

__all__ = ["Rest"]

_PATIENCE = 60.0  # seconds for one answer: on a busy machine Flink answers slowly
_POLL = 0.2  # seconds between two polls of a background operation


@dataclass(frozen=True)
class Rest:
    """The interface at `url`, such as "http://127.0.0.1:8081" or "https://flink.example.com/team".

    `ca` is a file of certificates to trust in place of the system's, `authorization` the header of that name; "" for
    none.
    """

    url: str
    patience: float = _PATIENCE
    ca: str = ""
    authorization: str = field(default="", repr=False)

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a GET; raises OSError without an answer, HTTPError for a refusal."""
        return json.loads(self._send("GET", path) or b"{}")

    def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Send a POST and return its answer; raises as `get` does."""
        return json.loads(self._send("POST", path, body) or b"{}")

    def patch(self, path: str) -> None:
        """Send a PATCH without a body; raises as `get` does."""
        self._send("PATCH", path, {})

    def text(self, path: str) -> str:
        """Return a file, such as a log; raises as `get` does."""
        return self._send("GET", path).decode(errors="replace")

    def finished(self, path: str, within: float) -> dict[str, Any]:
        """Wait for the background operation at `path` and return its result.

        Raises ClusterError if it fails, or has not finished `within` so many seconds.
        """
        deadline = time.monotonic() + within
        while (answer := self.get(path))["status"]["id"] != "COMPLETED":
            if time.monotonic() > deadline:
                raise ClusterError(f"the cluster has not finished after {within:.0f} seconds", facts=(path,))
            time.sleep(_POLL)
        operation: dict[str, Any] = answer["operation"] or {}
        if cause := operation.get("failure-cause"):
            raise ClusterError(summarize(cause["stack-trace"]), detail=cause["stack-trace"])
        return operation

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        address = f"{self.url}{path}"
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - the address is a cluster's
        trusted = ssl.create_default_context(cafile=self.ca) if self.ca else None
        with urllib.request.urlopen(request, timeout=self.patience, context=trusted) as answer:  # noqa: S310 - as above
            content: bytes = answer.read()
        return content
