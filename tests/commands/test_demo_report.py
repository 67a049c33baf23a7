"""`millstream demo report` from a real broker: what it counts, draws and refuses; and deleting topics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.local.topics import create, list_topics
from tests.command_line import millstream
from tests.drift_records import alert, drift

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Report = Callable[..., tuple[int, str, str]]

MORNING = 1_364_817_600_000  # 2013-04-01 08:00 in New York
NAMES = ["departures", "predictions", "arrivals", "drift", "alerts", "quarantine"]


@pytest.fixture
def fill(kafka: str) -> Callable[..., None]:
    """Return a function that puts values (JSON, or bytes as they are) into fresh topics."""

    def put(**values: list[dict[str, object] | bytes | None]) -> None:
        delete(kafka, NAMES)
        create(kafka, dict.fromkeys(values, 2))
        with KafkaProducer(bootstrap_servers=kafka) as producer:
            for topic, content in values.items():
                for value in content:
                    record = json.dumps(value).encode() if isinstance(value, dict) else value
                    producer.send(topic, record, b"k", partition=0)

    return put


@pytest.fixture
def report(tmp_path: Path, kafka: str, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Return a function that runs `millstream demo report` and returns the exit code and what was printed."""
    (tmp_path / "pyproject.toml").write_text("[tool.millstream]\n")
    monkeypatch.setenv("MILLSTREAM_KAFKA", kafka)

    def run(*args: str) -> tuple[int, str, str]:
        ran = millstream(tmp_path, "demo", "report", *args)
        return ran.code, ran.out, ran.err

    return run


def departure(name: str) -> dict[str, object]:
    return {"flight_id": name, "scheduled_ms": MORNING, "departed_ms": MORNING, "dep_delay": 0, "carrier": "UA"}


def prediction(name: str, p: float | None) -> dict[str, object]:
    return {"flight_id": name, "departed_at": "2013-04-01T12:00:00.000Z", "p_late": p, "model_version": "1"}


def arrival(name: str, *, late: bool) -> dict[str, object]:
    return {"flight_id": name, "arrived_ms": MORNING, "arr_delay": 20, "late": late}


def test_the_topics_become_numbers_and_a_page(fill: Callable[..., None], report: Report, tmp_path: Path) -> None:
    fill(
        departures=[departure(name) for name in "abcd"],
        predictions=[prediction("c", None), prediction("a", 0.1), prediction("b", 1)],
        arrivals=[arrival("b", late=True), arrival("a", late=False)],
        quarantine=[{"reason": "contract", "topic": "departures", "partition": 0, "offset": 3}],
    )
    code, out, _ = report("--json")
    figures = json.loads(out)
    assert code == 0
    assert figures["quarantined"] == 1
    assert (figures["flights"], figures["scored"], figures["refused"], figures["labelled"]) == (3, 2, 1, 2)
    assert figures["auc"] == 1
    assert figures["brier"] == pytest.approx(0.005)
    assert figures["report"] == str(tmp_path / "out" / "demo.html")
    assert "Do predictions come true" in (tmp_path / "out" / "demo.html").read_text(encoding="utf-8")

    code, out, _ = report("--out", str(tmp_path / "elsewhere.html"))
    assert code == 0
    assert "refused" in out
    assert str(tmp_path / "elsewhere.html") in out
    assert (tmp_path / "elsewhere.html").is_file()


def monitored(verdict: str, d: float) -> dict[str, object]:
    """Return a record of `drift` for the first of April."""
    window = {"window_start": "2013-04-01T00:00:00Z", "window_end": "2013-04-02T00:00:00Z"}
    where = {"model": "late_arrival", "version": "1", "slice": "JFK", "feature": "temp"}
    return {**drift(), **where, **window, "d_lo": d, "margin": 0.2, "verdict": verdict}


def test_drift_is_reported_where_its_topics_are(fill: Callable[..., None], report: Report, tmp_path: Path) -> None:
    scored = {"departures": [departure("a")], "predictions": [prediction("a", 0.1)], "arrivals": []}
    fill(**scored)
    code, out, _ = report("--json")
    assert code == 0
    assert json.loads(out)["drift"] is None
    page = tmp_path / "out" / "demo.html"
    assert "topic <code>drift</code> is missing" in page.read_text(encoding="utf-8")

    fill(**scored, drift=[monitored("stable", 0.1), monitored("drift", 0.9)])  # no topic `alerts`; the newest counts
    code, out, _ = report("--json")
    assert code == 0
    counts = {"windows": 1, "sums": 0, "drifted": 1, "alarms": 0, "alarms_open": 0}
    assert json.loads(out)["drift"] == counts

    opens = {"event": "opens", "since": "2013-04-01T00:00:00Z"}
    fill(**scored, drift=[monitored("drift", 0.9)], alerts=[{**alert(), **monitored("drift", 0.9), **opens}])
    code, out, _ = report()
    assert code == 0
    assert "1 still open; the worst: temp in JFK, 1 April: D 0.90, 0.20 allowed" in out
    assert "Time line of 1 alarm" in page.read_text(encoding="utf-8")

    fill(**scored, drift=[b"not JSON", monitored("drift", 0.9)], alerts=[b"not JSON"])  # no results: passed over
    code, out, _ = report("--json")
    assert code == 0
    assert json.loads(out)["drift"] == counts


def test_only_refused_rows_and_no_arrivals_are_a_report_too(fill: Callable[..., None], report: Report) -> None:
    fill(departures=[departure("a")], predictions=[prediction("a", None)], arrivals=[])
    code, out, _ = report("--json")
    assert code == 0
    assert (json.loads(out)["refused"], json.loads(out)["auc"]) == (1, None)


def test_a_flight_without_prediction_or_with_two_is_reported(fill: Callable[..., None], report: Report) -> None:
    fill(
        departures=[departure("a"), departure("b")],
        predictions=[prediction("a", 0.1), prediction("a", 0.1)],
        arrivals=[arrival("a", late=True)],
    )
    code, out, _ = report()
    assert code == 1
    assert "wrong: departures without a prediction: 1" in out
    assert "wrong: predictions beyond a flight's first: 1" in out


@pytest.mark.parametrize("value", [b"not JSON", b'{"flight_id": 7, "late": "maybe"}'])
def test_foreign_records_are_one_paragraph(fill: Callable[..., None], report: Report, value: bytes) -> None:
    fill(departures=[departure("a")], predictions=[prediction("a", 0.5)], arrivals=[arrival("a", late=True), value])
    code, _, err = report()
    assert code == 1
    assert "topic `arrivals` has records that are not the demo's" in err
    assert "millstream peek arrivals" in err


def test_without_flights_or_topics_the_demo_is_named(fill: Callable[..., None], report: Report) -> None:
    fill(departures=[], predictions=[], arrivals=[])
    code, _, err = report()
    assert code == 1
    assert "millstream demo" in err
    fill(departures=[departure("a")], arrivals=[])
    code, _, err = report()
    assert code == 1
    assert "no topic `predictions`" in err


def test_delete_returns_what_it_deleted(fill: Callable[..., None], kafka: str) -> None:
    fill(departures=[departure("a"), departure("b")], arrivals=[])
    deleted = delete(kafka, ["departures", "predictions"])
    assert [(topic.name, topic.records) for topic in deleted] == [("departures", 2)]
    assert [topic.name for topic in list_topics(kafka) if topic.name in NAMES] == ["arrivals"]
    assert delete(kafka, ["departures"]) == []


def test_the_demo_empties_no_topics_of_another_kafka(
    fill: Callable[..., None], kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(departures=[departure("a")])
    (tmp_path / "pyproject.toml").write_text("[tool.millstream]\n")
    monkeypatch.setenv("MILLSTREAM_KAFKA", kafka)
    ran = millstream(tmp_path, "demo")
    assert ran.code == 1
    assert "env -u MILLSTREAM_KAFKA millstream demo" in ran.err
    assert not (tmp_path / ".millstream").exists()
    assert [topic.records for topic in list_topics(kafka) if topic.name in NAMES] == [1]
