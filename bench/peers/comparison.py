"""All contestants in turn, round after round: the results are the ratios within a round."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.console import console_for_tables
from bench.machine import describe
from bench.peers.contestants import COMMIT_SECONDS, CONTESTANTS, Task, UnavailableError
from bench.peers.java_classes import JAR_SECTIONS
from bench.peers.one_run import measure
from bench.peers.project_copy import copy_project
from bench.peers.scores import check_scores
from bench.peers.tables import peers_table, row
from bench.records import delete_topic, fill
from pyflink_jobs.local import broker
from pyflink_jobs.local.jars import locked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers.contestants import Form
    from bench.peers.one_run import Figures

__all__ = ["peers"]

_FEW = 20_000  # records whose scores are compared one by one, before timing


def peers(
    root: Path, bootstrap: str, records: int, rounds: int, names: Sequence[str], form: Form, *, exactly_once: bool
) -> dict[str, object]:
    """Check the contestants' scores, run them in turn, `rounds` times; print tables, return their figures for JSON."""
    console = console_for_tables()
    running = broker.alive(root / ".millstream")
    assert running is not None, "it has just been started"  # noqa: S101
    few, many = (fill(bootstrap, count, form=form) for count in (_FEW, records))
    machine = describe()
    skipped: dict[str, str] = {}
    runs: list[dict[str, Figures]] = []
    guarantee = "exactly once" if exactly_once else "at least once"
    title = f"{records:,} {form.upper()} records x 16 floats, Kafka to Kafka, {guarantee}"
    with TemporaryDirectory(prefix="millstream-peers-") as scratch, console.status("") as status:
        project, log = Path(scratch) / "project", Path(scratch) / "log"
        copy_project(root, project, form, exactly_once=exactly_once)

        def task(source: str) -> Task:
            return Task(bootstrap, source, f"scores-{time.time_ns()}", form, exactly_once, project)

        for name in names:
            status.update(f"checking the scores of {name}")
            one = task(few)
            try:
                measure(CONTESTANTS[name], one, _FEW, running.pid, log)
            except UnavailableError as reason:
                skipped[name] = str(reason)
                continue
            check_scores(CONTESTANTS[name], one)
            delete_topic(bootstrap, one.sink)
        for number in range(1, rounds + 1):
            runs.append({})
            for name in names:
                if name not in skipped:
                    status.update(f"round {number} of {rounds}: {name}")
                    one = task(many)
                    runs[-1][name] = measure(CONTESTANTS[name], one, records, running.pid, log)
                    delete_topic(bootstrap, one.sink)
            console.print(peers_table(runs[-1:], skipped, f"{title}, round {number} of {rounds}"))
    if rounds > 1:
        console.print(peers_table(runs, skipped, f"{title}, medians of {rounds}"))
    return {
        "machine": machine,
        "jars": [jar.coordinates for section in JAR_SECTIONS for jar in locked(section)],
        "records": records,
        "format": form,
        "guarantee": guarantee,
        "commit_seconds": COMMIT_SECONDS,
        "rounds": [{name: row([run], name) for name in run} for run in runs],
        "medians": {name: row(runs, name) for name in runs[0]},
        "skipped": skipped,
    }
