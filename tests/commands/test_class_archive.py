"""The first `check` writes an archive of Java's classes; the next one loads Flink's planner from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local.jars import cache_folder, jars
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PLANNER = "org.apache.flink.table.planner.delegation.StreamPlanner"
CONNECTOR = "org.apache.flink.streaming.connectors.kafka.table.KafkaDynamicTableFactory"
SQL = {
    "sources/events": "CREATE TABLE events (x INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',"
    " 'properties.bootstrap.servers' = 'localhost:9092', 'scan.startup.mode' = 'earliest-offset')",
    "sinks/seen": "CREATE TABLE seen (x INT) WITH ('connector' = 'blackhole')",
    "jobs/copy": "INSERT INTO seen SELECT x FROM events",
}
ARCHIVED = re.compile(r"\] (\S+) source: shared objects file \(top\)")


def check(project: Path, cache: Path, log: Path) -> None:
    """Run `millstream check`, and let Java write down where it gets its classes from."""
    start = "from pyflink_jobs.cli import main; main()"
    variables = {"MILLSTREAM_CACHE": str(cache), "JAVA_TOOL_OPTIONS": f"-Xlog:class+load:file={log}"}
    command = [sys.executable, "-c", start, "--project", str(project), "check"]
    # The tests' own JVM may have started in this process: its options name an archive, and would win.
    inherited = {name: value for name, value in os.environ.items() if name != "JVM_ARGS"}
    done = subprocess.run(command, env={**inherited, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_the_second_start_takes_classes_from_the_archive(tmp_path: Path) -> None:
    jars("flink-kafka")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "jars").symlink_to(cache_folder() / "jars")
    project = make_project(tmp_path / "project", SQL).root
    check(project, cache, tmp_path / "first")
    [archive] = cache.glob("flink/*/plan.jsa")
    written = archive.stat().st_mtime_ns
    assert not ARCHIVED.findall((tmp_path / "first").read_text())
    check(project, cache, tmp_path / "second")
    assert {PLANNER, CONNECTOR} <= set(ARCHIVED.findall((tmp_path / "second").read_text()))
    assert archive.stat().st_mtime_ns == written
    assert {file.name for file in archive.parent.glob("*.jsa")} <= {"java.jsa", "plan.jsa"}
