"""The embedded model and the model server in turn, round after round: the ratios within a round are the figures."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.console import console_for_tables
from bench.machine import describe
from bench.peers.contestants import Task
from bench.peers.one_run import measure
from bench.peers.project_copy import copy_project
from bench.peers.scores import check_scores
from bench.records import delete_topic, fill
from bench.remote.contestants import EMBEDDED, ROWS, contestant, model_server
from bench.remote.tables import remote_table, row
from pyflink_jobs.local import broker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers.one_run import Figures
    from bench.remote.contestants import Server

__all__ = ["remote"]

_FEW = 20_000  # records whose scores are looked at one by one, before anything is timed
_SLOWER = 20  # one call a row takes so much longer: it gets as many times fewer records


def remote(root: Path, bootstrap: str, records: int, rounds: int, names: Sequence[str]) -> dict[str, object]:
    """Check the contestants' scores, run them in turn, `rounds` times; print tables, return their figures for JSON."""
    console = console_for_tables()
    running = broker.alive(root / ".millstream")
    assert running is not None, "it has just been started"  # noqa: S101
    machine = describe()
    counts = {name: max(records // _SLOWER, 1) if name == ROWS else records for name in names}
    checked = {name: _FEW // _SLOWER if name == ROWS else _FEW for name in names}
    filled = {count: fill(bootstrap, count) for count in {*counts.values(), *checked.values()}}
    runs: list[dict[str, Figures]] = []
    title = "JSON records x 16 floats, Kafka to Kafka, model server on the same machine"
    with (
        TemporaryDirectory(prefix="millstream-remote-") as scratch,
        model_server() as server,
        console.status("") as now,
    ):
        project, log = Path(scratch) / "project", Path(scratch) / "log"
        copy_project(root, project, "json", exactly_once=False)

        def run(name: str, count: int, *, check: bool) -> Figures:
            one = contestant(name, server.address)
            task = Task(
                bootstrap, filled[count], f"scores-{time.time_ns()}", "json", exactly_once=False, project=project
            )
            figures = measure(one, task, count, running.pid, log, _asked(name, server))
            if check:
                check_scores(one, task)
            delete_topic(bootstrap, task.sink)
            return figures

        for name in names:
            now.update(f"checking the scores of {name}")
            run(name, checked[name], check=True)
        for number in range(1, rounds + 1):
            runs.append({})
            for name in names:
                now.update(f"round {number} of {rounds}: {name}")
                runs[-1][name] = run(name, counts[name], check=False)
            console.print(remote_table(runs[-1:], counts, f"{title}, round {number} of {rounds}"))
    console.print(remote_table(runs, counts, f"{title}, medians of {rounds}"))
    return {
        "machine": machine,
        "records": counts,
        "runs": [asdict(figures) for run in runs for figures in run.values()],
        "medians": {name: row(runs, name) for name in names},
    }


def _asked(name: str, server: Server) -> int | None:
    """Return the process id of the server that a contestant asks, if it asks one."""
    return None if name == EMBEDDED else server.pid
