"""Records that are replayed after a fix give what a run gives that had the fix from the start."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.audit.expected_output import emitted
from pyflink_jobs.errors import MillstreamError, SqlError
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import PlannedJob, Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.quarantine.records import read_quarantine
from pyflink_jobs.quarantine.replay import Replay, replay, select
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import run_job
from tests.command_line import millstream
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
SQL = {
    "sources/events": "CREATE TABLE events (id STRING, place STRING, v DOUBLE COMMENT 'range 0..100', c FLOAT,"
    " ms BIGINT, p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL,"
    " happened AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR happened AS happened - INTERVAL '5' SECOND) "
    f"WITH ({KAFKA}, 'topic' = '@events', 'scan.startup.mode' = 'earliest-offset')",
    "features/f": "CREATE VIEW f AS SELECT id, place, c, p, o, CAST(COUNT(*) OVER w AS FLOAT) AS n,"
    " CAST(SUM(v) OVER w AS FLOAT) AS total FROM events WINDOW w AS (PARTITION BY place ORDER BY happened"
    " RANGE BETWEEN INTERVAL '30' SECOND PRECEDING AND CURRENT ROW)",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
    "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
    "sinks/scored": f"CREATE TABLE scored (id STRING, total FLOAT, y DOUBLE, p INT, o BIGINT) "
    f"WITH ({KAFKA}, 'topic' = '@scored')",
    "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING, topic STRING,"
    " `partition` INT, `offset` BIGINT, record BYTES, `columns` STRING, job STRING, model STRING) "
    f"WITH ({KAFKA}, 'topic' = '@quarantine')",
    "jobs/score": "INSERT INTO scored SELECT id, total, y, p, o FROM ML_PREDICT(TABLE f, MODEL m, "
    "DESCRIPTOR(n, total, c)) WHERE place <> 'unwanted'",
}
FIXED = {
    "sources/events": SQL["sources/events"].replace("0..100", "0..1000"),
    "features/f": SQL["features/f"].replace("place, c, p", "place, COALESCE(c, 0) AS c, p"),
}
START = 1_700_000_000_000


def events() -> Iterator[bytes]:
    """Yield bursts of five events, a minute apart, so that what a burst's last one breaks is in no other's window."""
    ids = count()
    for burst in range(60):
        for at in range(5):
            for place in ("a", "b", "unwanted"):
                row: dict[str, Any] = {"id": str(next(ids)), "place": place, "v": burst / 7 + at, "c": 0.3 * at}
                row["ms"] = START + burst * 60_000 + at * 4_000
                if at == 4:
                    row |= {"v": 500 + burst / 3} if burst % 4 == 0 else {}
                    row |= {"c": None} if burst % 6 == 1 else {}
                yield json.dumps(row).encode()
    yield b'{"id": "never'


@dataclass(frozen=True)
class Topics:
    """The names of the topics of one project."""

    events: str
    scored: str
    quarantine: str


def rows(kafka: str, topic: str) -> list[tuple[Any, ...]]:
    """Return all scored rows; floats compare to the bit, but for the sign of zero."""
    values = [json.loads(record.value or b"") for record in topics.read(kafka, topic)]
    return sorted(tuple(row.values()) for row in values if row["y"] is not None)


PLANNED = Topics("events", "scored", "quarantine")


def project(folder: Path, bootstrap: str, sql: dict[str, str], names: Topics = PLANNED) -> Project:
    named = {file: re.sub("@([a-z]+)", lambda found: getattr(names, found[1]), text) for file, text in sql.items()}
    made = make_project(folder, named, settings=f"kafka = '{bootstrap}'\nparallelism = 2")
    if not made.models.exists():
        add_model(made, "m", "linear")
    return made


@pytest.fixture(scope="module")
def both(kafka: str, topic: Callable[[str], str]) -> tuple[Topics, Topics]:
    """Send the same events to the same places of two topics: to what is fixed later, and to what never failed."""
    made = (
        Topics(topic("events"), topic("scored"), topic("quarantine")),
        Topics(topic("events"), topic("scored"), topic("quarantine")),
    )
    for names in made:
        topics.create(kafka, {names.events: 1})
        send_records(kafka, names.events, events())
    return made


def run_replay(made: Project, reason: str | None = None, *, force: bool = False) -> Replay:
    job = declare(made).job("score")
    return replay(made, job, select(made, job, None, reason, force=force))


def test_the_results_are_those_of_a_run_that_never_failed(
    kafka: str, both: tuple[Topics, Topics], tmp_path: Path
) -> None:
    fixed_later, never_failed = both
    right = project(tmp_path / "never-failed", kafka, SQL | FIXED, never_failed)
    run_job(right, declare(right).job("score"), Run(bounded=True))
    expected = rows(kafka, never_failed.scored)
    broken = project(tmp_path / "fixed-later", kafka, SQL, fixed_later)
    run_job(broken, declare(broken).job("score"), Run(bounded=True))
    first = rows(kafka, fixed_later.scored)
    assert set(first) < set(expected)
    quarantined = [r for r in read_quarantine(broken) if not r.replayed]
    assert len(quarantined) == 15 * 3 + 10 * 3 + 1

    fixed = project(tmp_path / "fixed-later", kafka, FIXED, fixed_later)
    done = millstream(fixed.root, "quarantine", "replay", "score", "--json")
    counts = {"replayed": 15 * 3 + 10 * 3 + 1, "quarantined_again": 1, "not_read": 0}
    assert json.loads(done.out) == {"job": "score", **counts, "left_out": {}, "replayed_before": 0}
    assert rows(kafka, fixed_later.scored) == expected
    after = read_quarantine(fixed)
    (open_,) = (record for record in after if not record.replayed)
    assert (open_.reason, open_.kept) == ("undecodable", b'{"id": "never')

    with pytest.raises(MillstreamError, match="nothing of job `score` to replay") as caught:
        run_replay(fixed, "contract")
    assert "45 records were replayed already" in str(caught.value)
    assert any("--force" in way for way in caught.value.findings[0].fixes)
    assert rows(kafka, fixed_later.scored) == expected

    assert run_replay(fixed, "contract", force=True) == Replay(records=45, unread=0, again=0)
    again = {r.place[2] for r in after if r.place and r.reason == "contract"}
    assert rows(kafka, fixed_later.scored) == sorted([*expected, *(row for row in expected if row[-1] in again)])
    assert len(read_quarantine(fixed)) == len(after)

    everything = {(fixed_later.events, 0, offset) for offset in range(60 * 15 + 1)} | {("other", 0, 1)}
    assert emitted(fixed, "score", everything) == {(fixed_later.events, 0, row[-1]) for row in expected}


def planned(made: Project, cluster: MiniCluster, job: str = "score", source: str = "events") -> PlannedJob:
    environment = table_environment(made, cluster.options)
    return plan_job(
        declare(made).job(job), environment, Run(bounded=True, places={source: {(source, 0, 7): 1, (source, 1, 8): 2}})
    )


def test_a_sink_without_the_columns_of_a_records_place_is_named(tmp_path: Path, cluster: MiniCluster) -> None:
    sink = SQL["sinks/scored"].replace(", p INT, o BIGINT", ", p INT")
    job = SQL["jobs/score"].replace("p, o FROM", "p FROM")
    with pytest.raises(SqlError, match="`scored` does not say which record of `events`") as caught:
        planned(project(tmp_path, "localhost:1", SQL | {"sinks/scored": sink, "jobs/score": job}), cluster)
    (finding,) = caught.value.findings
    assert str(finding.place).startswith("sql/sinks/scored.sql")
    assert finding.fixes == ("add to it `o` BIGINT, and select `o` in sql/jobs/score.sql",)


def test_a_source_without_columns_for_its_places_is_named(tmp_path: Path, cluster: MiniCluster) -> None:
    source = SQL["sources/events"].replace("o BIGINT METADATA FROM 'offset' VIRTUAL", "o AS CAST(1 AS BIGINT)")
    with pytest.raises(SqlError, match="`events` has no column for offset") as caught:
        planned(project(tmp_path, "localhost:1", SQL | {"sources/events": source}), cluster)
    assert "events_offset BIGINT METADATA FROM 'offset' VIRTUAL" in str(caught.value)


def test_a_replay_has_transactions_of_its_own_commits_no_offsets_and_leaves_monitors_and_other_sources_alone(
    tmp_path: Path, cluster: MiniCluster
) -> None:
    once = "'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'scoring', 'topic' ="
    changes = {
        "sources/others": SQL["sources/events"].replace("@events", "others").replace("events", "others"),
        "sinks/scored": SQL["sinks/scored"].replace("'topic' =", once),
        "sinks/copies": SQL["sinks/scored"].replace("@scored", "copies").replace("scored", "copies"),
        "jobs/score": f"{SQL['jobs/score']};\nINSERT INTO copies (id) SELECT id FROM others",
    }
    plan = planned(project(tmp_path, "localhost:1", SQL | changes), cluster)
    assert [text.split()[2] for text in plan.inserts] == ["scored", "`quarantine`"]
    assert plan.inserts[1].count("\nUNION ALL\n") == 3  # invalid records, marks twice, refused rows
    assert not any("others" in text for text in plan.inserts)
    assert "'sink.transactional-id-prefix' = 'scoring-replay'" in created(plan, "scored")
    assert "'properties.commit.offsets.on.checkpoint' = 'false'" in created(plan, plan.job.validated["events"].table)


def created(plan: PlannedJob, table: str) -> str:
    """Return a table's statement."""
    return str(next(plan.environment.execute_sql(f"SHOW CREATE TABLE `{table}`").collect())[0])
