"""`millstream quarantine` on a real broker: counts, reasons, and the original bytes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from pyflink_jobs.cli.main import cli
from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

ORIGINALS = [b'{"id": 1}', b'{"id": "\xff\x07"}', b'{"id": 3}']


def record(source: str, reason: str, hour: int, offset: int | None, **more: object) -> dict[str, object]:
    place = {"topic": None if offset is None else "things", "partition": 0, "offset": offset}
    return {"source": source, "reason": reason, "ingested_at": f"2013-04-01T{hour:02}:30:00Z", **place, **more}


RECORDS = [
    record("things", "contract", 7, 2, detail="id is 3, expected 1 to 2", job="score"),
    record("things", "contract", 5, 0, detail="first"),
    record("things", "contract", 5, 1, detail="second"),
    record("features", "refused by model", 5, None, detail="c is NULL", model="m", model_version="2"),
    record("things", "contract", 8, 999, detail="gone", columns='{"id": "gone"}'),
    record("things", "undecodable", 9, 998, detail="kept", record=base64.b64encode(b'{"id": "kept').decode()),
    # Twice in quarantine, and replayed once.
    record("others", "contract", 9, 0, job="score"),
    record("others", "replayed", 9, 0, job="score"),
    record("others", "late", 9, 0, job="score"),
]


@pytest.fixture(scope="module")
def folder(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarantine")
    make_project(folder, {}, settings=f"kafka = '{kafka}'")
    delete(kafka, ["things", "quarantine"])
    topics.create(kafka, {"things": 1, "quarantine": 1})
    send_records(kafka, "things", ORIGINALS)
    send_records(kafka, "quarantine", [*(json.dumps(r).encode() for r in RECORDS), b"no record"])
    return folder


@pytest.fixture(scope="module")
def replayable(kafka: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_project(
        tmp_path_factory.mktemp("replayable"),
        {"sinks/out": "CREATE TABLE `out` (i INT)", "jobs/score": "INSERT INTO `out` SELECT 1"},
        settings=f"kafka = '{kafka}'",
    )
    assert folder != made.root
    return made.root


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(folder), "quarantine", *arguments])


def test_records_are_counted_by_hour_source_and_reason(folder: Path) -> None:
    done = run(folder, "list", "--json")
    assert done.exit_code == 0, done.output
    assert [tuple(json.loads(line).values()) for line in done.output.splitlines()] == [
        ("2013-04-01T05", "features", "refused by model", 1, 0),
        ("2013-04-01T05", "things", "contract", 2, 0),
        ("2013-04-01T07", "things", "contract", 1, 0),
        ("2013-04-01T08", "things", "contract", 1, 0),
        ("2013-04-01T09", "others", "contract", 1, 1),
        ("2013-04-01T09", "others", "late", 1, 0),
        ("2013-04-01T09", "things", "undecodable", 1, 0),
    ]
    shown = run(folder, "list", "--source", "things").output
    assert "2013-04-01 05:00  things  contract           2" in shown
    assert shown.splitlines()[-1] == "5 in all"
    assert run(folder, "list", "--reason", "other").output.startswith("nothing is in quarantine")


def test_what_was_replayed_is_counted_and_its_mark_is_no_record(folder: Path) -> None:
    shown = run(folder, "list", "--source", "others").output
    assert "others  contract        1         1" in shown
    assert "others  late            1         0" in shown
    assert shown.splitlines()[-1] == "2 in all, 1 replayed"
    assert run(folder, "list", "--reason", "replayed").output.startswith("nothing is in quarantine")
    assert "reason    replayed" not in run(folder, "show").output
    assert run(folder, "show", "--source", "others", "--reason", "contract").output.count("replayed  yes") == 1


def test_a_record_is_shown_with_its_original_bytes(folder: Path) -> None:
    done = run(folder, "show", "--source", "things", "--json")
    assert done.exit_code == 0, done.output
    found = {(r := json.loads(line))["offset"]: r for line in done.output.splitlines()}
    assert {offset: r.get("record") for offset, r in found.items()} == {
        0: ORIGINALS[0].decode(),
        1: None,
        2: ORIGINALS[2].decode(),
        998: '{"id": "kept',
        999: None,
    }
    assert base64.b64decode(found[1]["record_base64"]) == ORIGINALS[1]
    assert not any("record_base64" in record for offset, record in found.items() if offset != 1)
    shown = run(folder, "show", "--source", "things").output
    assert "topic things, partition 0, offset 1" in shown
    assert r"\xff\x07" in shown
    assert "\x07" not in shown
    assert 'record    {"id": "kept' in shown
    assert 'neither in quarantine nor in Kafka\n  columns   {"id": "gone"}' in shown


def test_records_are_exported_with_their_original_bytes(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("older")
    done = run(folder, "export", str(file), "--source", "things")
    assert done.exit_code == 0, done.output
    assert done.output == f"{file}: 5 records, 1 without original bytes\n"
    shown = run(folder, "show", "--source", "things", "--json").output
    assert file.read_text() == shown
    assert list(tmp_path.iterdir()) == [file]
    assert "1 record," in run(folder, "export", str(file), "--reason", "refused by model").output
    done = run(folder, "export", str(file), "--source", "things", "--json")
    assert json.loads(done.output) == {"file": str(file), "records": 5, "without_bytes": 1}
    assert file.read_text() == shown


def test_an_export_that_cannot_be_written_leaves_the_file_as_it_is(folder: Path, tmp_path: Path) -> None:
    done = run(folder, "export", str(tmp_path / "missing" / "out.jsonl"))
    assert isinstance(done.exception, MillstreamError)
    assert "cannot be written: No such file or directory" in str(done.exception)


def test_what_cannot_be_replayed_is_named(replayable: Path) -> None:
    done = run(replayable, "replay", "score", "--source", "others")
    assert isinstance(done.exception, MillstreamError)
    text = str(done.exception)
    assert "there is nothing of job `score` to replay" in text
    assert "2 of others: job `score` does not read topic things by a table of that name" in text
    done = run(replayable, "replay", "scor")
    assert "there is no job `scor`" in str(done.exception)


def test_the_newest_come_last(folder: Path) -> None:
    done = run(folder, "show", "-n", "5")
    hours = [line[11:13] for line in done.output.splitlines() if line[:1].isdigit()]
    assert hours == ["07", "08", "09", "09", "09"]
    (refused,) = run(folder, "show", "--reason", "refused by model").output.split("\n2013")
    assert "c is NULL" in refused
    assert "m 2" in refused
