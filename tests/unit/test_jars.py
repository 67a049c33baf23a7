"""Jars come from a Maven repository (here a small one over HTTP), are checked, and the cache repairs itself."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local import jars as module
from pyflink_jobs.local.jars import cache_folder, jars, locked

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENTS = {"one": b"first jar" * 1000, "two": b"second jar" * 1000}


class Repository(ThreadingHTTPServer):
    """A Maven repository that serves a folder and remembers which jars were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.drops = 0  # how many of the next connections break before a byte is sent
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    @property
    def url(self) -> str:
        """The address to fetch from."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(SimpleHTTPRequestHandler):
    """Serves a file and notes that it was asked for."""

    server: Repository

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Serve a file."""
        if self.path.endswith(".jar"):
            self.server.asked.append(Path(self.path).name)
            if self.server.drops:
                self.server.drops -= 1
                self.connection.shutdown(SHUT_RDWR)
                return
        super().do_GET()


def put(repository: Repository, name: str, content: bytes) -> None:
    file = repository.folder / "org" / "example" / name / "1.0" / f"{name}-1.0.jar"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository(tmp_path / "repository") as server:
        for name, content in CONTENTS.items():
            put(server, name, content)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # seconds until it sees a shutdown
        yield server
        server.shutdown()


@pytest.fixture
def env(tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Lock the two jars of the repository, and use an empty cache."""
    lines = [f'"org.example:{name}:1.0" = "{hashlib.sha256(CONTENTS[name]).hexdigest()}"' for name in CONTENTS]
    lock = tmp_path / "jars.lock"
    lock.write_text("\n".join(["[both]", "wanted = []", "[both.jars]", *lines]))
    monkeypatch.setattr(module, "LOCK", lock)
    monkeypatch.setattr(module, "_PAUSES", (0.01, 0.01))
    return {"MILLSTREAM_CACHE": str(tmp_path / "cache"), "MILLSTREAM_MAVEN": repository.url}


def test_what_is_missing_is_fetched_once(env: dict[str, str], repository: Repository) -> None:
    files = jars("both", env)
    assert [file.read_bytes() for file in files] == list(CONTENTS.values())
    assert jars("both", env) == files
    assert sorted(repository.asked) == ["one-1.0.jar", "two-1.0.jar"]
    assert sorted(file.name for file in files[0].parent.iterdir()) == ["one-1.0.jar", "two-1.0.jar"]


@pytest.mark.parametrize("damage", [b"", CONTENTS["two"][:100], b"x" + CONTENTS["two"][1:]])
def test_a_half_written_or_changed_jar_is_fetched_again(
    env: dict[str, str], repository: Repository, damage: bytes
) -> None:
    two = jars("both", env)[1]
    two.write_bytes(damage)
    assert jars("both", env)[1].read_bytes() == CONTENTS["two"]
    assert repository.asked.count("two-1.0.jar") == 2
    assert repository.asked.count("one-1.0.jar") == 1


def test_a_connection_that_breaks_is_tried_again(env: dict[str, str], repository: Repository) -> None:
    repository.drops = 2
    assert [file.read_bytes() for file in jars("both", env)] == list(CONTENTS.values())
    assert len(repository.asked) == 4


def test_a_jar_that_is_not_the_locked_one_is_refused(env: dict[str, str], repository: Repository) -> None:
    put(repository, "two", b"somebody else's jar")
    with pytest.raises(LocalError) as error:
        jars("both", env)
    text = str(error.value)
    assert text.startswith("org.example:two:1.0 is not the jar that was locked")
    assert hashlib.sha256(CONTENTS["two"]).hexdigest() in text
    assert hashlib.sha256(b"somebody else's jar").hexdigest() in text
    assert repository.asked.count("two-1.0.jar") == 2  # a second try would have repaired a damaged download
    assert not (Path(env["MILLSTREAM_CACHE"]) / "jars" / "two-1.0.jar").exists()


def test_a_jar_that_the_repository_lacks(env: dict[str, str], repository: Repository) -> None:
    (repository.folder / "org" / "example" / "two" / "1.0" / "two-1.0.jar").unlink()
    with pytest.raises(LocalError, match=r"cannot fetch org\.example:two:1\.0"):
        jars("both", env)


def test_without_a_network_the_error_is_one_paragraph(env: dict[str, str], repository: Repository) -> None:
    repository.shutdown()
    repository.server_close()  # nobody listens on this port any more
    with pytest.raises(LocalError) as error:
        jars("both", env)
    text = str(error.value)
    assert len(error.value.findings) == 1
    assert text.startswith("cannot fetch org.example:")
    assert f"from {repository.url}: Connection refused" in text
    assert "MILLSTREAM_MAVEN=URL" in text
    assert env["MILLSTREAM_CACHE"] in text
    assert "Traceback" not in text
    assert "HTTPConnectionPool" not in text


def test_processes_that_fetch_at_once_do_not_disturb_each_other(env: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pyflink_jobs.local import jars as module;"
        "module.LOCK = Path(sys.argv[1]); module.jars('both')"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "jars.lock")]
    both = [subprocess.Popen(command, env=env) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    folder = Path(env["MILLSTREAM_CACHE"]) / "jars"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        f"{name}-1.0.jar": content for name, content in CONTENTS.items()
    }


@pytest.mark.parametrize("section", ["kafka", "flink-kafka", "kubernetes-operator", "kafka-streams", "onnxruntime"])
def test_the_lock_is_whole(section: str) -> None:
    found = locked(section)
    assert found
    assert all(len(jar.sha256) == 64 and set(jar.sha256) <= set("0123456789abcdef") for jar in found)
    assert len({jar.file_name for jar in found}) == len(found)


def test_the_broker_and_its_clients_are_of_one_version() -> None:
    used = [*locked("kafka"), *locked("kafka-streams")]
    versions = {jar.coordinates.rsplit(":", 1)[1] for jar in used if "org.apache.kafka:" in jar.coordinates}
    assert versions == {"4.2.0"}


def test_where_the_cache_is(tmp_path: Path) -> None:
    assert cache_folder({"MILLSTREAM_CACHE": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"}) == tmp_path
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "millstream"
    assert cache_folder({}) == Path.home() / ".cache" / "millstream"
