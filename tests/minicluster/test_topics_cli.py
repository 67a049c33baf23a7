"""`topics` and `peek` against a real broker: readable whatever the bytes, and a fix for every mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from pyflink_jobs.cli import main
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.topics import create, list_topics, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker

    NewTopic = Callable[[str], str]
    Millstream = Callable[..., tuple[int, str, str]]

T0 = 1_357_016_400_000  # 2013-01-01 05:00:00 UTC


@pytest.fixture
def millstream(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Millstream:
    """Return a function that runs a command and returns its exit code and what it printed."""
    (tmp_path / "pyproject.toml").write_text("[tool.millstream]\n")
    monkeypatch.setenv("MILLSTREAM_KAFKA", broker.bootstrap_servers)

    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["--project", str(tmp_path), *args])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def send(broker: Broker, topic: str, *records: tuple[bytes | None, bytes | None, int, int]) -> None:
    """Send records: key, value, timestamp, partition."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    for key, value, timestamp, partition in records:
        producer.send(topic, value, key=key, timestamp_ms=timestamp, partition=partition)
    producer.flush()
    producer.close()


def test_create_is_idempotent_and_list_shows_what_is_there(broker: Broker, topic: NewTopic) -> None:
    full, empty = topic("full"), topic("empty")
    kafka = broker.bootstrap_servers
    assert sorted(create(kafka, {full: 3, empty: 1})) == sorted([full, empty])
    assert create(kafka, {full: 5}) == []
    send(broker, full, (b"k", b"late", T0 + 7000, 2), (b"k", b"early", T0, 0), (b"k", b"between", T0 + 1, 2))
    found = {one.name: one for one in list_topics(kafka)}
    assert (found[full].partitions, found[full].records, found[full].first, found[full].last) == (3, 3, T0, T0 + 7000)
    assert (found[empty].partitions, found[empty].records, found[empty].first, found[empty].last) == (1, 0, None, None)
    assert not [name for name in found if name.startswith("__")]


def test_a_name_that_kafka_refuses(broker: Broker) -> None:
    with pytest.raises(KafkaError, match=r"topic `no good` cannot be created: .*contains"):
        create(broker.bootstrap_servers, {"no good": 1})


def test_read_takes_the_first_or_the_last_across_partitions(broker: Broker, topic: NewTopic) -> None:
    name = topic("read")
    create(broker.bootstrap_servers, {name: 3})
    send(broker, name, *((None, str(n).encode(), T0 + n, n % 3) for n in range(50)))

    def values(limit: int | None = None, *, from_end: bool = False) -> list[int]:
        return [int(record.value or b"") for record in read(broker.bootstrap_servers, name, limit, from_end=from_end)]

    assert values() == list(range(50))
    assert values(4) == [0, 1, 2, 3]
    assert values(4, from_end=True) == [46, 47, 48, 49]
    assert values(80) == values(80, from_end=True) == list(range(50))


def test_read_sees_committed_records_alone_and_never_waits_for_others(broker: Broker, topic: NewTopic) -> None:
    name = topic("transactions")
    create(broker.bootstrap_servers, {name: 1})
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers, transactional_id=name)
    producer.init_transactions()
    for number in range(4):
        producer.begin_transaction()
        producer.send(name, b"committed %d" % number)
        producer.commit_transaction()
    for _ in range(10):  # leaves more marks than a read of the last two looks at first
        producer.begin_transaction()
        producer.send(name, b"aborted")
        producer.flush()
        producer.abort_transaction()
    producer.begin_transaction()
    producer.send(name, b"open")
    producer.flush()
    last = read(broker.bootstrap_servers, name, 2, from_end=True)
    every = read(broker.bootstrap_servers, name)
    producer.abort_transaction()
    producer.close()
    assert [record.value for record in last] == [b"committed 2", b"committed 3"]
    assert [record.value for record in every] == [b"committed %d" % number for number in range(4)]


def test_topics_command(millstream: Millstream, broker: Broker, topic: NewTopic) -> None:
    name = topic("listed")
    create(broker.bootstrap_servers, {name: 2})
    send(broker, name, (b"k", b"1", T0, 0), (b"k", b"2", T0 + 61_000, 1))
    code, out, _ = millstream("topics")
    line = next(line for line in out.splitlines() if line.startswith(name))
    assert (code, line.split()) == (0, [name, "2", "2", "2013-01-01", "05:00:00", "2013-01-01", "05:01:01"])
    _, out, _ = millstream("topics", "--json")
    assert {"name": name, "partitions": 2, "records": 2, "first": T0, "last": T0 + 61_000} in [
        json.loads(line) for line in out.splitlines()
    ]


def test_peek_shows_json_fields_as_columns(millstream: Millstream, broker: Broker, topic: NewTopic) -> None:
    name = topic("flights")
    create(broker.bootstrap_servers, {name: 1})
    send(
        broker,
        name,
        (b"EWR", b'{"flight_id": "UA1545", "dep_delay": 2.0}', T0, 0),
        (b"LGA", b'{"flight_id": "UA1714", "carrier": null}', T0 + 1, 0),
    )
    code, out, _ = millstream("peek", name)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["partition", "offset", "time", "(UTC)", "key", "flight_id", "dep_delay", "carrier"],
        ["0", "0", "2013-01-01", "05:00:00.000", "EWR", "UA1545", "2.0"],
        ["0", "1", "2013-01-01", "05:00:00.001", "LGA", "UA1714", "null"],
    ]
    _, out, _ = millstream("peek", name, "-n", "1", "--from-beginning", "--json")
    assert json.loads(out) == {
        "partition": 0,
        "offset": 0,
        "timestamp": T0,
        "key": "EWR",
        "value": {"flight_id": "UA1545", "dep_delay": 2.0},
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"\xff\x00plain", r"\xff\x00plain"),
        (b"\x1b[31mred\x07", r"\x1b[31mred\x07"),
        (b"[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        (b'{"p": NaN}', '{"p": NaN}'),
        (b"[" * 5000, "[" * 5000),
        ("größer 東京".encode(), "größer 東京"),
    ],
)
def test_peek_shows_what_is_not_json_escaped(
    millstream: Millstream, broker: Broker, topic: NewTopic, value: bytes, shown: str
) -> None:
    name = topic("odd")
    create(broker.bootstrap_servers, {name: 1})
    send(broker, name, (b"\xfe", value, T0, 0))
    code, out, _ = millstream("peek", name)
    assert code == 0
    assert r"\xfe" in out
    assert shown in out
    _, out, _ = millstream("peek", name, "--json")
    assert json.loads(out) == {"partition": 0, "offset": 0, "timestamp": T0, "key": r"\xfe", "raw": shown}


@pytest.mark.parametrize(("value", "plain"), [(None, None), (b'"s"', "s"), (b"12", 12), (b"[1, 2]", [1, 2])])
def test_peek_shows_values_that_are_no_objects(
    millstream: Millstream, broker: Broker, topic: NewTopic, value: bytes | None, plain: object
) -> None:
    name = topic("scalar")
    create(broker.bootstrap_servers, {name: 1})
    send(broker, name, (b"key", value, T0, 0))
    assert millstream("peek", name)[0] == 0
    assert json.loads(millstream("peek", name, "--json")[1])["value"] == plain


def test_peek_at_nothing(millstream: Millstream, broker: Broker, topic: NewTopic) -> None:
    name = topic("empty")
    create(broker.bootstrap_servers, {name: 2})
    assert millstream("peek", name) == (0, f"topic `{name}` is empty\n", "")
    assert millstream("peek", name, "--json") == (0, "", "")


def test_send_sends_each_line(millstream: Millstream, broker: Broker, topic: NewTopic, tmp_path: Path) -> None:
    name, file = topic("sent"), tmp_path / "lines.jsonl"
    file.write_bytes(b'{"id": 1}\n\n  no JSON \n')
    code, out, _ = millstream("send", name, str(file), "--json")
    assert (code, json.loads(out)) == (0, {"topic": name, "sent": 2})
    assert millstream("send", name, str(file))[1] == f"sent 2 records to {name}\n"
    assert [record.value for record in read(broker.bootstrap_servers, name)] == [b'{"id": 1}', b"no JSON"] * 2


def test_a_mistyped_topic_is_reported_and_not_created(millstream: Millstream, broker: Broker, topic: NewTopic) -> None:
    name = topic("predictions")
    create(broker.bootstrap_servers, {name: 1})
    mistyped = name.replace("predictions", "predictons")
    code, out, err = millstream("peek", mistyped)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: no topic `{mistyped}` in Kafka at {broker.bootstrap_servers}\n")
    assert f"did you mean {name}?" in err
    assert mistyped not in {one.name for one in list_topics(broker.bootstrap_servers)}


def test_no_broker_there(millstream: Millstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLSTREAM_KAFKA", "127.0.0.1:1")
    for command in (["topics"], ["peek", "anything"]):
        code, _, err = millstream(*command)
        assert code == 1
        assert err.startswith("error: no Kafka broker answers at 127.0.0.1:1\n")
        assert "millstream up" in err
        assert "Traceback" not in err
