"""`millstream reference build --sql`: the rows of a view between two times, from a real broker, make the profile."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.command_line import millstream
from tests.monitored_project import MINUTE, START, events, line, monitored_project
from udfs.drift.reference import NULL, read_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVENTS = events(2000, seed=9)
LABELS = {None: NULL}
pytestmark = pytest.mark.usefixtures("jvm_project")

COMMAND = "reference build --model m --version 1 --sql more --from {} --to {} --out {} --slices 3 --json"


@pytest.fixture(scope="module")
def folder(kafka: str, topic: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("view")
    names = {kind: topic(kind) for kind in ("events", "scored", "drift", "alerts")}
    monitored_project(folder, kafka, names)
    (folder / "sql" / "features").mkdir()
    (folder / "sql" / "features" / "more.sql").write_text(
        "CREATE VIEW more AS SELECT x + 10 AS x, y, z, place, happened FROM events"
    )
    topics.create(kafka, {names["events"]: 2})
    send_records(kafka, names["events"], map(line, EVENTS))
    return folder


def test_rows_between_two_times_are_counted(folder: Path) -> None:
    since, until = START + 5 * MINUTE, START + 15 * MINUTE
    out = folder / "made.parquet"
    done = millstream(folder, *COMMAND.format("2023-11-15T00:05", "2023-11-15T00:15+00:00", out).split())
    assert done.code == 0, done.err
    rows = [event for event in EVENTS if since <= event["ms"] < until]
    assert json.loads(done.out)["rows"] == len(rows)
    profile = read_profile(out, "m", "1")
    assert sum(counts.rows for counts in profile.counts.values()) == len(rows)
    places = Counter(LABELS.get(event["place"], event["place"]) for event in rows)
    assert {label: counts.rows for (label, _), counts in profile.counts.items()} == places
    for name, moved in (("x", 10), ("y", 0)):
        values = [event[name] + moved for event in rows if event[name] is not None]
        column = profile.whole.column(profile.features.names.index(name))
        assert (int(column.n), int(column.nulls)) == (len(values), len(rows) - len(values))
        ends = profile.whole.least, profile.whole.most
        found = [float(end[profile.features.names.index(name)]) for end in ends]
        assert found == pytest.approx([min(values), max(values)])


def test_a_wrong_time_an_empty_view_and_an_unknown_one_are_named(folder: Path) -> None:
    out = folder / "none.parquet"
    for start, words in (
        ("yesterday", "--from yesterday is not a valid time"),
        ("2030-01-01", "`more` has no rows from 2030-01-01 00:00"),
    ):
        done = millstream(folder, *COMMAND.format(start, "2031-01-01", out).split())
        assert done.code == 1
        assert words in done.err, done.err
        assert "Traceback" not in done.err
    command = COMMAND.format("2023-01-01", "2031-01-01", out).replace("--sql more", "--sql mor")
    done = millstream(folder, *command.split())
    assert done.code == 1
    assert "mor" in done.err
    assert "\tat " not in done.err
    assert not out.exists()
