"""`millstream demo flights` into a real broker: what arrives, twice, appended, paced, interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.demo.flights import TOPICS, events
from pyflink_jobs.demo.ready_topics import make_ready
from pyflink_jobs.demo.send_flights import records, send_flights
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.broker import start, stop
from pyflink_jobs.local.topics import list_topics, read
from tests.command_line import call, millstream
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Send = Callable[..., tuple[int, str, str]]

FIRST = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def project(tmp_path: Path, kafka: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.millstream]\n")
    monkeypatch.setenv("MILLSTREAM_KAFKA", kafka)
    return tmp_path


@pytest.fixture
def send_by_command(project: Path) -> Send:
    """Return a function that sends flights and returns the exit code and what was printed."""

    def run(*args: str) -> tuple[int, str, str]:
        ran = millstream(project, "demo", "flights", *args)
        return ran.code, ran.out, ran.err

    return run


def held(kafka: str) -> dict[str, int]:
    """Return how many records are in each of the flights' topics."""
    return {topic.name: topic.records for topic in list_topics(kafka) if topic.name in TOPICS}


def test_kafka_holds_the_records_in_the_order_they_were_sent(kafka: str, send_by_command: Send) -> None:
    code, out, err = send_by_command("--from", "2013-04-01", "--to", "2013-04-02", "--fresh", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["sent"] == held(kafka)
    sent = list(records(events(FIRST, FIRST + DAY)))
    sizes = {topic.name: topic.partitions for topic in list_topics(kafka) if topic.name in TOPICS}
    assert sizes == {"departures": 4, "weather": 1, "arrivals": 4}
    for name in TOPICS:
        of_key: dict[bytes | None, int] = {}
        by_partition = defaultdict(list)
        for record in sorted(read(kafka, name), key=lambda record: record.offset):
            by_partition[record.partition].append((record.key, record.value, record.timestamp))
            assert of_key.setdefault(record.key, record.partition) == record.partition
        assert len(by_partition) == sizes[name]  # no partition stays empty
        for partition, arrived in by_partition.items():
            wanted = [(r.key, r.value, r.event_ms) for r in sent if r.topic == name and of_key[r.key] == partition]
            assert arrived == wanted


def test_topics_with_records_change_only_on_request(kafka: str, send_by_command: Send) -> None:
    morning = ("--from", "2013-04-01T10:00:00", "--to", "2013-04-01T11:00:00")
    assert send_by_command(*morning, "--fresh")[::2] == (0, "")
    before = held(kafka)
    assert before["departures"] > 0

    code, out, err = send_by_command(*morning)
    assert (code, out) == (1, "")
    assert f"topic departures: {before['departures']} records" in err
    assert "--fresh" in err
    assert "--append" in err
    assert held(kafka) == before

    assert send_by_command(*morning, "--append")[::2] == (0, "")
    assert held(kafka) == {name: 2 * count for name, count in before.items()}

    assert send_by_command(*morning, "--fresh")[::2] == (0, "")
    assert held(kafka) == before


def test_the_summary_counts_what_was_sent_and_left_out(kafka: str, send_by_command: Send) -> None:
    code, out, err = send_by_command("--from", "2013-04-01", "--to", "2013-04-02", "--fresh")
    assert (code, err) == (0, "")
    count = held(kafka)
    assert out.startswith(f"sent {sum(count.values()):,} records in ")
    assert (
        out.split("\n", maxsplit=1)[1].split()
        == (
            f"departures {count['departures']} weather {count['weather']} arrivals {count['arrivals']} left out"
            " 8 flights that never departed 2 flights that departed, but arrived nowhere"
        ).split()
    )


def test_nothing_is_deleted_for_a_span_without_flights(kafka: str, send_by_command: Send) -> None:
    assert send_by_command("--from", "2013-04-01T10:00:00", "--to", "2013-04-01T11:00:00", "--fresh")[::2] == (0, "")
    before = held(kafka)
    code, _, err = send_by_command("--from", "2014-03-01", "--fresh")
    assert code == 1
    assert "there are data from 2013-01-01 to 2014-01-01" in err
    assert held(kafka) == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--speed", "fast"), "'fast' is neither max nor a factor such as 3600x"),
        (("--speed", "0x"), "'0x' is neither"),
        (("--speed", "-5x"), "'-5x' is neither"),
        (("--fresh", "--append"), "--fresh and --append exclude each other"),
        (("--from", "2013-05-01", "--to", "2013-04-01"), "is not before"),
        (("--from", "April"), "'April' does not match"),
    ],
)
def test_wrong_options_are_named(send_by_command: Send, wrong: tuple[str, ...], said: str) -> None:
    code, _, err = send_by_command(*wrong)
    assert code == 2
    assert said in " ".join(err.split())


def test_a_pace_is_kept_from_the_first_record_to_the_last(kafka: str) -> None:
    hour = events(FIRST + DAY / 2, FIRST + DAY / 2 + timedelta(hours=1))
    make_ready(kafka, fresh=True)
    moments = [record.sent_ms for record in records(hour)]
    seconds = 1.5
    speed = (moments[-1] - moments[0]) / 1000 / seconds
    progress: list[tuple[int, int, float]] = []
    before = time.monotonic()
    send_flights(hour, kafka, speed, lambda count, sent_ms: progress.append((count, sent_ms, time.monotonic())))
    assert [count for count, _, _ in progress] == list(range(1, len(moments) + 1))
    assert [sent_ms for _, sent_ms, _ in progress] == moments
    early = [sent_ms for _, sent_ms, when in progress if when - before < (sent_ms - moments[0]) / 1000 / speed]
    assert early == []
    assert held(kafka) == {name: len(frame) for name, frame in hour.topics.items()}


def test_ctrl_c_ends_with_a_count_of_what_kafka_has(kafka: str, project: Path) -> None:
    make_ready(kafka, fresh=True)
    options = ["--from", "2013-04-01", "--speed", "60x", "--append", "--json"]
    command = call(project, "demo", "flights", *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: sum(held(kafka).values()) or process.poll() is not None)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    summary = json.loads(out)
    assert process.returncode == 130
    assert summary["interrupted"] is True
    assert summary["sent"] == held(kafka)
    assert summary["sent"]["weather"] > 0


def test_without_a_broker_the_error_names_the_command_that_starts_one() -> None:
    nobody = "127.0.0.1:1"
    with pytest.raises(KafkaError, match="millstream up"):
        send_flights(events(FIRST, FIRST + DAY), nobody)


@pytest.mark.slow
def test_a_broker_that_goes_away_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / ".millstream"
    mortal = start(state, port=0).bootstrap_servers
    monkeypatch.setattr("pyflink_jobs.demo.send_flights.PATIENCE", 2)

    def stop_midway(count: int, _: int) -> None:
        if count == 5_000:
            stop(state)

    make_ready(mortal, fresh=False)
    with pytest.raises(KafkaError, match="does not accept the records"):
        send_flights(events(FIRST, FIRST + 10 * DAY), mortal, progress=stop_midway)
    assert [thread.name for thread in threading.enumerate() if "producer" in thread.name] == []
