"""A format of five lines: JSON by another name, which Flink does not know."""

from __future__ import annotations

from pyflink_jobs.planning.formats import Format


class Lines(Format):
    """JSON lines; Flink's own format reads and writes them."""

    name = "toy-lines"
    fast = "json"
