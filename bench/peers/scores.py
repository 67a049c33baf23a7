"""Compares a contestant's scores with ONNX Runtime called directly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from bench import avro
from bench.peers.contestants import MODELS
from bench.records import COLUMNS
from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.peers.contestants import Contestant, Task

__all__ = ["check_scores"]

_RELATIVE, _ABSOLUTE = 1e-5, 1e-6  # a kernel may add in another order


def check_scores(contestant: Contestant, task: Task) -> None:
    """Raise JobError unless each record of the source has exactly one score in the sink, and the right one."""
    records = _read(task, task.source, avro.EVENT)
    scores = _read(task, task.sink, avro.SCORE)
    by_id = {score["id"]: score for score in scores}
    if len(scores) != len(records) or by_id.keys() != {record["id"] for record in records}:
        raise JobError(
            f"{contestant.name} did not score each record exactly once",
            facts=(f"{len(records):,} records, {len(scores):,} scores, {len(by_id):,} ids among them",),
        )
    x = np.array([[record[f"x{i}"] for i in range(COLUMNS)] for record in records], np.float32)
    found = np.array([by_id[record["id"]]["y"] for record in records], np.float32)
    expected = _expected(contestant.model, x)
    tolerance = (0.0, 0.0) if contestant.exact else (_RELATIVE, _ABSOLUTE)
    wrong = ~np.isclose(found, expected, *tolerance)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise JobError(
            f"{contestant.name} gave {int(wrong.sum()):,} of {len(records):,} records another score",
            facts=(f"record {records[first]['id']}: {found[first]!r}, ONNX Runtime says {expected[first]!r}",),
        )
    if any(by_id[record["id"]]["sent_us"] != record["sent_us"] for record in records):
        raise JobError(f"{contestant.name} gave some records another time of sending")


def _read(task: Task, topic: str, schema: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - fastavro's
    values = (record.value or b"" for record in topics.read(task.bootstrap, topic))
    return [json.loads(value) if task.form == "json" else avro.decode(schema, value) for value in values]


def _expected(model: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    if model == "none":
        return np.add.accumulate(x, axis=1)[:, -1]  # from left to right, in single precision, as SQL does
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(MODELS / f"{model}.onnx", options)
    scores: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: x})[0][:, 0]
    return scores
