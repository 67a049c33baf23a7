"""What a job is doing, from Flink's REST interface: records in, scored and out, watermark, lag.

Operators are found by their names: Flink reports a metric by its vertex's id and its operator's name
(`QueryScopeInfo.OperatorQueryScopeInfo`), never by the operator's uid, and a vertex has many operators. The plan's ids
are not available either: a submitted job returns its job id alone, and a second StreamGraph costs a second planning.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pyflink_jobs.planning.system_tables import UNCHECKED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXPIRED", "JobCounts", "count_finished", "expired_words", "read_counts", "read_final_counts"]

EXPIRED = re.compile(r"Source__.*\.millstream\.topic\.(?P<topic>.+)\.partition\.(?P<partition>\d+)\.expired$")
"""The metric of a source that counts the records of a partition which had expired before the job came to them."""

_SOURCE = re.compile(r"Source: (?:KafkaSource-)?(?:\S+\.)?(?P<table>\w+)(?:\[\d+\])?")
_SINK = re.compile(r"(?:^|-> |\()(?:Sink: )?(?:(?P<table>\w+)\[\d+\]: Writer|StreamingFileWriter)")
_READ = re.compile(r"Source__.*\.numRecordsOut$")
_PENDING = re.compile(r"Source__.*\.pendingRecords$")
_SCORED = re.compile(r"PythonCalc.*\.numRecordsOut$")
_WATERMARK = re.compile(r".*__Writer\.currentInputWatermark$")
_WRITTEN = re.compile(r".*__Writer\.numRecordsIn$")
_NEVER = -(2**63)  # what Flink reports before the first watermark
_PATIENCE = 60.0  # seconds: on a busy machine Flink answers late


@dataclass(frozen=True)
class JobCounts:
    """Counts of a job so far.

    `read` and `written` are records by source and by sink, `scored` the rows that came out of its models.
    `watermark` is the event time that has reached the sinks, epoch milliseconds; `lag` the records that still
    wait in Kafka. Both are None if Flink does not report them. `expired` are the records that a topic no longer had
    when the job came to them, by topic and partition.
    """

    state: str
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    scored: int = 0
    watermark: int | None = None
    lag: int | None = None
    expired: Counter[tuple[str, int]] = field(default_factory=Counter)


def expired_words(expired: Mapping[tuple[str, int], int]) -> list[str]:
    """Return a line for each partition with expired records.

    >>> expired_words({("departures", 3): 300})
    ['300 records of `departures`, partition 3, expired before they were read; the job goes on with the oldest left']
    """
    return [
        f"{count:,} records of `{topic}`, partition {number}, expired before they were read; the job goes on with the"
        " oldest left"
        for (topic, number), count in sorted(expired.items())
        if count
    ]


def read_counts(url: str, job_id: str) -> JobCounts:
    """Ask a cluster's REST interface at `url` about a running job; raises OSError if it does not answer.

    The counts come from Flink's metrics, which are up to a second old.
    """
    job = _get(f"{url}/jobs/{job_id}")
    counts = JobCounts(job["state"])
    scored: list[int] = []
    lags: list[int] = []
    watermarks: list[int] = []
    for vertex in job["vertices"]:
        source, sink = _table(_SOURCE, vertex), _table(_SINK, vertex)
        for name, metric in _metrics(f"{url}/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics").items():
            total, least = int(metric["sum"]), int(metric["min"])
            counts.read[source] += total if _READ.match(name) else 0
            counts.written[sink] += total if _WRITTEN.match(name) else 0
            scored += [total] if _SCORED.match(name) else []
            lags += [total] if _PENDING.match(name) else []
            watermarks += [least] if _WATERMARK.match(name) and least > _NEVER else []
            if found := EXPIRED.match(name):
                counts.expired[found["topic"], int(found["partition"])] += total
    lag = sum(lags) if lags else None
    watermark = min(watermarks, default=None)
    return JobCounts(counts.state, +counts.read, +counts.written, sum(scored), watermark, lag, +counts.expired)


def read_final_counts(url: str, job_id: str) -> JobCounts:
    """Ask about a job that has ended: the counts of its tasks are exact; its metrics no longer exist."""
    return count_finished(_get(f"{url}/jobs/{job_id}"))


def count_finished(job: dict[str, Any]) -> JobCounts:
    """Return the counts of a job that has ended, from the answer of Flink's REST interface."""
    counts = JobCounts(job["state"])
    vertices = {vertex["id"]: vertex for vertex in job["vertices"]}
    flows = _flows(job["plan"]["nodes"], vertices)
    for name, vertex in vertices.items():
        counted = vertex["metrics"]
        if source := _table(_SOURCE, vertex):
            counts.read[source] += counted["read-records"]
        if sink := _table(_SINK, vertex):
            # A task counts what its first operator reads (of a join, both sides) and what all its last ones write: to
            # the sink, and to other tasks.
            first = _SINK.match(vertex["name"])
            others = sum(count for (sender, _), count in flows.items() if sender == name)
            counts.written[sink] += counted["read-records"] if first else counted["write-records"] - others
    return JobCounts(counts.state, +counts.read, +counts.written)


def _flows(nodes: list[dict[str, Any]], vertices: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Return how many records went from one task to another: (sender, reader) -> records.

    Flink has one count for all that a task reads, and one for all that it writes. If all flows of a task except one
    are known, that one is the rest.
    """
    unknown = {(given["id"], node["id"]) for node in nodes for given in node.get("inputs", ())}
    flows: dict[tuple[str, str], int] = {}
    totals = [(1, name, "read-records") for name in vertices]
    totals += [(0, name, "write-records") for name, vertex in vertices.items() if not _table(_SINK, vertex)]
    found = True
    while found:
        found = False
        for end, name, total in totals:
            mine = [flow for flow in unknown if flow[end] == name]
            if len(mine) == 1:
                known = sum(count for flow, count in flows.items() if flow[end] == name)
                flows[mine[0]] = vertices[name]["metrics"][total] - known
                unknown.remove(mine[0])
                found = True
    return flows


def _table(pattern: re.Pattern[str], vertex: dict[str, Any]) -> str:
    """Return the table that a source's or sink's vertex is named after, "files" for a sink of files, else "".

    Sinks that share a vertex are counted together, as "drift and alerts".
    """
    names = [match["table"] or "files" for match in pattern.finditer(vertex["name"])]
    return " and ".join(dict.fromkeys(name.removesuffix(UNCHECKED) for name in names))


def _metrics(url: str) -> dict[str, dict[str, float]]:
    """Return those of a vertex's metrics that we read, each with its min, max and sum over the subtasks."""
    wanted = (_READ, _PENDING, _SCORED, _WATERMARK, _WRITTEN, EXPIRED)
    names = [m["id"] for m in _get(url) if any(pattern.match(m["id"]) for pattern in wanted)]
    if not names:
        return {}
    return {m["id"]: m for m in _get(f"{url}?get={','.join(quote(name) for name in names)}")}


def _get(url: str) -> Any:  # noqa: ANN401 - JSON
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - the address is our own cluster's
        return json.load(answer)
