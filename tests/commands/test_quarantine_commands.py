"""`millstream quarantine` on a real broker: counts, reasons, and the original bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from pyflink_jobs.cli.main import cli
from pyflink_jobs.local import topics
from pyflink_jobs.local.sending import send_records
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
    record("things", "contract", 8, 999, detail="gone"),
]


@pytest.fixture(scope="module")
def folder(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarantine")
    make_project(folder, {}, settings=f"kafka = '{kafka}'")
    topics.create(kafka, {"things": 1, "quarantine": 2})
    send_records(kafka, "things", ORIGINALS)
    send_records(kafka, "quarantine", [*(json.dumps(r).encode() for r in RECORDS), b"no record"])
    return folder


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(folder), "quarantine", *arguments])


def test_records_are_counted_by_hour_source_and_reason(folder: Path) -> None:
    done = run(folder, "list", "--json")
    assert done.exit_code == 0, done.output
    assert [tuple(json.loads(line).values()) for line in done.output.splitlines()] == [
        ("2013-04-01T05", "features", "refused by model", 1),
        ("2013-04-01T05", "things", "contract", 2),
        ("2013-04-01T07", "things", "contract", 1),
        ("2013-04-01T08", "things", "contract", 1),
    ]
    shown = run(folder, "list", "--source", "things").output
    assert "2013-04-01 05:00  things  contract        2" in shown
    assert shown.splitlines()[-1] == "4 in all"
    assert run(folder, "list", "--reason", "other").output == "nothing is in quarantine\n"


def test_a_record_is_shown_with_its_original_bytes(folder: Path) -> None:
    done = run(folder, "show", "--source", "things", "--json")
    assert done.exit_code == 0, done.output
    found = {(r := json.loads(line))["offset"]: r["original"] for line in done.output.splitlines()}
    expected = [original.decode(errors="backslashreplace") for original in ORIGINALS]
    assert found == {0: expected[0], 1: expected[1], 2: expected[2], 999: None}
    shown = run(folder, "show", "--source", "things").output
    assert "topic things, partition 0, offset 1" in shown
    assert r"\xff\x07" in shown
    assert "\x07" not in shown
    assert "no longer in Kafka" in shown


def test_the_newest_come_last(folder: Path) -> None:
    done = run(folder, "show", "-n", "2")
    assert [line[:13] for line in done.output.splitlines() if line[:1].isdigit()] == ["2013-04-01 07", "2013-04-01 08"]
    (refused,) = run(folder, "show", "--reason", "refused by model").output.split("\n2013")
    assert "c is NULL" in refused
    assert "m 2" in refused
