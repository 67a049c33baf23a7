"""Exactly-once tables whose transactions cannot work are findings of `check`, with the option to set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs import check
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics
from pyflink_jobs.planning.checks.transactions import check_transactions
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.job_topics import prepare_topics
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from tests.reported.conftest import SecuredKafka

ONCE = "'sink.delivery-guarantee' = 'exactly-once'"
TIMEOUT = "'properties.transaction.timeout.ms'"


def project(folder: Path, kafka: str, tables: dict[str, str], jobs: dict[str, str]) -> Project:
    sinks = {
        f"sinks/{name}": f"CREATE TABLE {name} (n INT) WITH ('connector' = 'kafka', 'topic' = '{name}',\n"
        f"'format' = 'json', 'properties.bootstrap.servers' = '{kafka}', {ONCE}{more})"
        for name, more in tables.items()
    }
    source = {"sources/numbers": "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen')"}
    files = {f"jobs/{job}": f"INSERT INTO {table} SELECT n FROM numbers" for job, table in jobs.items()}
    return make_project(folder, {**sinks, **source, **files})


def prefix(name: str) -> str:
    return f", 'sink.transactional-id-prefix' = '{name}'"


@pytest.mark.parametrize(
    ("timeout", "found", "fix"),
    [
        ("", "transactions of 60 minutes, its brokers allow 15 minutes", f"write {TIMEOUT} = '900000'"),
        (f", {TIMEOUT} = '1800000'", "of 30 minutes, its brokers allow 15 minutes", f"{TIMEOUT} = '900000'"),
        (f", {TIMEOUT} = '600000'", "", ""),
    ],
)  # fmt: skip
def test_a_timeout_above_the_brokers(
    timeout: str, found: str, fix: str, secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    made = project(tmp_path, secured_kafka.plain, {"a": prefix("a") + timeout}, {"one": "a"})
    findings = check_transactions(declare(made), offline=False)
    assert [str(each) for each in findings if found not in str(each) or fix not in str(each)] == []
    assert bool(findings) == bool(found)
    sinks = {"a": declare(made).tables["a"].values}
    if found:
        with pytest.raises(KafkaError, match=found):  # as run and submit find it
            prepare_topics({}, sinks)
    else:
        prepare_topics({}, sinks)
        assert "a" in topics.names(secured_kafka.plain)


def test_a_broker_that_allows_more_is_believed(kafka: str, tmp_path: Path) -> None:
    made = project(tmp_path, kafka, {"a": prefix("a")}, {"one": "a"})  # our own allows an hour
    assert check_transactions(declare(made), offline=False) == []


def test_without_a_broker_kafkas_own_limit_counts_where_nothing_is_set(tmp_path: Path) -> None:
    tables = {"a": prefix("a"), "b": f"{prefix('b')}, {TIMEOUT} = '3600000'", "unused": ""}
    checked = check(project(tmp_path, "localhost:1", tables, {"one": "a", "two": "b"}), offline=True)
    (finding,) = checked.findings
    assert str(finding) == (
        "sql/sinks/a.sql:1:14: `a` is exactly-once with transactions of 60 minutes, its brokers allow 15 minutes"
        " unless they are configured\n"
        "  'properties.transaction.timeout.ms' is not set; the brokers' limit is transaction.max.timeout.ms\n"
        "  either write 'properties.transaction.timeout.ms' = '900000': longer than the time between two checkpoints,"
        " and than a restart takes,\n"
        "  or set the brokers' transaction.max.timeout.ms to 3600000"
    )


def test_one_prefix_for_two_sinks(tmp_path: Path) -> None:
    timeout = f", {TIMEOUT} = '600000'"
    two_tables = project(tmp_path / "1", "h:1", dict.fromkeys("ab", prefix("p") + timeout), {"one": "a", "two": "b"})
    (finding,) = check_transactions(declare(two_tables), offline=True)
    assert finding.message == "2 sinks have 'sink.transactional-id-prefix' = 'p': each aborts the other's transactions"
    assert finding.facts == ("job `one` writes `a`", "job `two` writes `b`")
    assert finding.fixes == ("give each table its own: 'sink.transactional-id-prefix' = 'b'",)
    two_jobs = project(tmp_path / "2", "h:1", {"a": prefix("p") + timeout}, {"one": "a", "two": "a"})
    (finding,) = check_transactions(declare(two_jobs), offline=True)
    assert finding.facts == ("job `one` writes `a`", "job `two` writes `a`")
    assert "'at-least-once'" in finding.fixes[-1]


def test_no_prefix(tmp_path: Path) -> None:
    made = project(tmp_path, "h:1", {"a": f", {TIMEOUT} = '600000'"}, {"one": "a"})
    (finding,) = check_transactions(declare(made), offline=True)
    assert "has no 'sink.transactional-id-prefix'" in finding.message
