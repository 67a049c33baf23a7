"""The job of mlp_kafka as a user of PyFlink would write it with a model server: a vectorised function that asks it.

Source and sink are the project's own, its Flink configuration too, so that the two jobs differ in how they score.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import ScalarFunction, udf

from pyflink_jobs.planning.compile.load import load_job
from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.minicluster import minicluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table.udf import FunctionContext

FEATURES = ", ".join(f"x{i}" for i in range(16))
METHOD = "/bench.Prediction/Predict"
# A batch's scores leave together. With one call a row, the usual batch would take seconds.
SMALL_BATCHES = dict.fromkeys(("python.fn-execution.arrow.batch.size", "python.fn-execution.bundle.size"), "500")


class RemoteScore(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    """Asks the server at `address` for the scores of a whole Arrow batch, or of one row after the other."""

    def __init__(self, address: str, *, batched: bool) -> None:
        self.address = address
        self.batched = batched
        self._predict: Callable[[bytes], bytes] | None = None

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002 - Flink's signature
        """Connect; the channel lasts as long as the worker."""
        channel = grpc.insecure_channel(self.address, [("grpc.enable_http_proxy", 0)])
        self._predict = channel.unary_unary(METHOD)

    def eval(self, *columns: pd.Series[Any]) -> pd.Series[Any]:
        """Return the score of each row."""
        assert self._predict is not None, "Flink calls open() first"  # noqa: S101
        x = np.column_stack(columns)
        requests = [x.tobytes()] if self.batched else [row.tobytes() for row in x]
        return pd.Series(np.frombuffer(b"".join(map(self._predict, requests)), np.float32))


def main() -> None:
    """Score what is in the project's source now."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("address", help="of the model server")
    parser.add_argument("--batched", action="store_true", help="one call for a batch, not for a row")
    chosen = parser.parse_args()
    project = Project.find(chosen.project)
    with minicluster(project, project.settings.parallelism) as cluster:
        options = {**cluster.options, **({} if chosen.batched else SMALL_BATCHES)}
        environment = table_environment(project, options)
        load_job(declare(project), "none_kafka", environment, bounded=True)  # its source and its sink
        function = udf(
            RemoteScore(chosen.address, batched=chosen.batched), result_type=DataTypes.FLOAT(), func_type="pandas"
        )
        environment.create_temporary_system_function("remote_score", function)
        insert = f"INSERT INTO kafka_scores SELECT id, sent_us, remote_score({FEATURES}) FROM records"
        environment.execute_sql(insert).wait()


if __name__ == "__main__":
    main()
