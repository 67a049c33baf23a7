"""What a job asks of Kafka's clients where a table says nothing: larger requests, so fewer of them.

Kafka's own values are for many small clients. These wait for nothing: a record that is alone is fetched and sent at
once as before. What they gain is in docs/performance.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SINK", "SOURCE", "wanting"]

SOURCE = {
    "properties.max.partition.fetch.bytes": "4194304",  # of one partition, in one answer; 1 MiB is Kafka's
    "properties.max.poll.records": "5000",  # handed from the fetching thread to the task at once; 500
    "properties.receive.buffer.bytes": "1048576",  # of the socket; 64 KiB
}
"""Options of a table that is read."""

SINK = {"properties.batch.size": "262144"}  # bytes for one partition in one request, at most; 16 KiB
"""Options of a table that is written."""


def wanting(options: Mapping[str, str], *, written: bool) -> dict[str, str]:
    """Return those that a table's own `options` do not name."""
    return {key: value for key, value in (SINK if written else SOURCE).items() if key not in options}
