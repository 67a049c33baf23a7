"""`audit` and `tune` with sources of several topics, by a list or a pattern; sinks that cannot be audited say why.

A query that Flink plans within a job, and not by itself, is audited as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.audit.accounts import Limits
from pyflink_jobs.audit.audit import audit
from pyflink_jobs.audit.subjects import find_subjects
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.tuning.sample import take_sample
from tests.command_line import millstream
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
POSITION = "p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL"
TOPIC = "t STRING METADATA FROM 'topic' VIRTUAL"


def make(folder: Path, kafka: str, *, columns: str, reads: str, sink: str = "", name: str = "x") -> Project:
    sink = sink or f"(a FLOAT, y DOUBLE, p INT, o BIGINT, t STRING) WITH ({KAFKA}, 'topic' = '{name}-scored')"
    sql = {
        "sources/things": f"CREATE TABLE things (a FLOAT, {columns})"
        f" WITH ({KAFKA}, {reads}, 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (k FLOAT, l FLOAT, m FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
        "sinks/scored": f"CREATE TABLE scored {sink}",
        "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, topic STRING, `partition` INT,"
        f" `offset` BIGINT, job STRING, model STRING) WITH ({KAFKA}, 'topic' = '{name}-quarantine')",
        "jobs/score": "INSERT INTO scored SELECT a, y, p, o, t"
        " FROM ML_PREDICT(TABLE things, MODEL m, DESCRIPTOR(a, a, a))",
    }
    project = make_project(folder, sql, settings=f"kafka = '{kafka}'")
    add_model(project, "m", "linear")
    return project


@pytest.mark.parametrize("reads", ["'topic' = '@-a;@-b'", "'topic-pattern' = '@-[ab]'"])
def test_each_topic_of_a_list_or_a_pattern_is_accounted_for(
    tmp_path: Path, kafka: str, topic: Callable[[str], str], reads: str
) -> None:
    name = topic("events")
    project = make(tmp_path, kafka, columns=f"{POSITION}, {TOPIC}", reads=reads.replace("@", name), name=name)
    topics.create(kafka, {f"{name}-{one}": 1 for one in ("a", "b", "c", "scored", "quarantine")})
    for one, count in (("a", 3), ("b", 5), ("c", 7)):
        send_records(kafka, f"{name}-{one}", [b'{"a": 1.0}'] * count)

    def row(one: str, offset: int) -> dict[str, Any]:
        return {"a": 1.0, "y": 0.5, "p": 0, "o": offset, "t": f"{name}-{one}"}

    scored = [row("a", 0), row("a", 1), row("a", 2), *(row("b", offset) for offset in (0, 1, 4))]
    send_records(kafka, f"{name}-scored", [json.dumps(one).encode() for one in scored])
    refused = {"source": "things", "reason": "contract", "topic": f"{name}-b", "partition": 0, "offset": 2}
    send_records(kafka, f"{name}-quarantine", [json.dumps(refused | {"job": "score", "model": None}).encode()])

    (done,) = audit(project, "score", Limits(), lambda _, __, places: places)
    found = {a.topic: (a.read, a.scored, a.quarantined, a.missing, a.duplicates) for a in done.accounts}
    assert found == {f"{name}-a": (3, 3, 0, (), ()), f"{name}-b": (5, 3, 1, (3,), ())}
    assert done.findings == []

    sample = take_sample(declare(project).job("score"), 100)
    assert (sample.topic, sample.offsets) == (f"{name}-b", {0: (0, 5)})  # the largest one
    assert sample.reads["topic"] == f"{name}-b"


UPSERT = (
    "(a FLOAT, y DOUBLE, p INT, o BIGINT, t STRING, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'upsert-kafka',"
)
UPSERT += " 'topic' = 's', 'properties.bootstrap.servers' = 'h:1', 'key.format' = 'json', 'value.format' = 'json')"


@pytest.mark.parametrize(
    ("columns", "reads", "sink", "said", "fix"),
    [
        (
            f"{POSITION}, {TOPIC}",
            "'topic' = 'a'",
            UPSERT,
            "`scored` cannot be accounted for: it keeps the newest row of each key, so results are overwritten",
            "write the rows to a table with 'connector' = 'kafka' as well",
        ),
        (
            f"{POSITION}, t STRING",
            "'topic' = 'a;b'",
            "",
            "`things` cannot be accounted for: its rows do not say which records they are",
            "add the columns things_topic STRING METADATA FROM 'topic' VIRTUAL;",
        ),
        (
            "p INT, o BIGINT, t STRING",
            "'topic-pattern' = 'a.*'",
            "",
            "`things` cannot be accounted for: its rows do not say which records they are",
            "add the columns things_partition INT METADATA FROM 'partition' VIRTUAL, things_offset BIGINT METADATA FR",
        ),
        (
            f"{POSITION}, {TOPIC}",
            "'topic' = 'a;b'",
            f"(a FLOAT, y DOUBLE, p INT, o BIGINT) WITH ({KAFKA}, 'topic' = 's')",
            "`scored` cannot be accounted for: its rows do not say which record of `things` they are",
            "add t STRING to its columns",
        ),
    ],
)
def test_what_cannot_be_audited_says_why(
    tmp_path: Path, columns: str, reads: str, sink: str, said: str, fix: str
) -> None:
    declarations = declare(make(tmp_path, "h:1", columns=columns, reads=reads, sink=sink))
    found, (finding,) = find_subjects(declarations, declarations.job("score"), since=False)
    assert found == []
    assert said in finding.message
    assert any(one.startswith(fix) for one in finding.fixes), finding.fixes


NESTED = {
    "inner": "(SELECT r.a AS a, p, o, t FROM things WHERE r.b > 1), MODEL m, DESCRIPTOR(a, a, a)) WHERE y > -1000",
    "both": "(SELECT r.a AS a, r, p, o, t FROM things), MODEL m, DESCRIPTOR(a, a, a)) WHERE y > -1000 AND r.b > 1",
}


@pytest.mark.usefixtures("jvm_project")
@pytest.mark.parametrize("query", NESTED.values(), ids=NESTED)
def test_nested_fields_and_scores_in_conditions(
    tmp_path: Path, kafka: str, topic: Callable[[str], str], query: str
) -> None:
    name = topic("nested")
    project = make(
        tmp_path, kafka, columns=f"r ROW<a FLOAT, b INT>, {POSITION}, {TOPIC}", reads=f"'topic' = '{name}'", name=name
    )
    job = f"INSERT INTO scored SELECT a, y, p, o, t FROM ML_PREDICT({query}"
    (project.sql / "jobs" / "score.sql").write_text(job)
    topics.create(kafka, {name: 1, f"{name}-scored": 1, f"{name}-quarantine": 1})
    send_records(kafka, name, [json.dumps({"r": {"a": 1.0, "b": b}}).encode() for b in (5, 0, 5, 0, 5, 5)])
    last = {"a": 1.0, "y": 0.5, "p": 0, "o": 5, "t": name}
    send_records(kafka, f"{name}-scored", [json.dumps(last).encode()])
    ran = millstream(tmp_path, "audit", "--json")
    account = json.loads(ran.out)
    assert (account["missing"], account["filtered"], account["scored"]) == ([0, 2, 4], 2, 1)
