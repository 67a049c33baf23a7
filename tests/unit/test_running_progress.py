"""What a finished job has read and written, where Flink counts by task and not by the way between two of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pyflink_jobs.running.progress import count_finished

SOURCE = "Source: events[1] -> Calc[2]"
SCORING = (
    "OverAggregate[3] -> PythonCalc[4] -> (Calc[5] -> predictions[6]: Writer -> predictions[6]: Committer, Calc[7])"
)
QUARANTINE = "quarantine[8]: Writer -> quarantine[8]: Committer"


def job(ways: dict[str, dict[str, int]], written: dict[str, int]) -> dict[str, Any]:
    """Return what Flink says of tasks: `ways` are records by sender and reader, `written` those into a task's sink."""
    names = [*dict.fromkeys([*ways, *(reader for readers in ways.values() for reader in readers)])]
    read = {name: sum(readers.get(name, 0) for readers in ways.values()) for name in names}
    read[SOURCE] = sum(ways[SOURCE].values())
    sent = {name: sum(ways.get(name, {}).values()) + written.get(name, 0) for name in names}
    vertices = [
        {"id": f"id of {name}", "name": name, "metrics": {"read-records": read[name], "write-records": sent[name]}}
        for name in names
    ]
    nodes = [
        {"id": f"id of {name}", "inputs": [{"id": f"id of {sender}"} for sender in ways if name in ways[sender]]}
        for name in names
    ]
    return {"state": "FINISHED", "vertices": vertices, "plan": {"nodes": nodes}}


def test_a_sink_in_a_task_that_also_sends_to_another_sink() -> None:
    """Quarantine has records of two tasks, and one of them sends to the other: 3 of 100 are invalid, 2 are refused."""
    counts = count_finished(job({SOURCE: {SCORING: 97, QUARANTINE: 3}, SCORING: {QUARANTINE: 2}}, {SCORING: 95}))
    assert counts.written == Counter(predictions=95, quarantine=5)
    assert counts.read == Counter(events=100)


def test_two_ways_from_one_task_to_another_are_one() -> None:
    description = job({SOURCE: {SCORING: 10, QUARANTINE: 0}, SCORING: {QUARANTINE: 4}}, {SCORING: 6})
    (quarantine,) = (node for node in description["plan"]["nodes"] if node["id"] == f"id of {QUARANTINE}")
    quarantine["inputs"] *= 2
    assert count_finished(description).written == Counter(predictions=6, quarantine=4)


def test_a_job_of_one_task() -> None:
    name = "Source: events[1] -> Calc[2] -> predictions[3]: Writer -> predictions[3]: Committer"
    metrics = {"read-records": 7, "write-records": 7}
    description = {"state": "CANCELED", "vertices": [{"id": "a", "name": name, "metrics": metrics}]}
    counts = count_finished(description | {"plan": {"nodes": [{"id": "a"}]}})
    assert (counts.read, counts.written) == (Counter(events=7), Counter(predictions=7))
