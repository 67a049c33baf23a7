"""A cluster whose REST interface is behind a proxy: a path, TLS with certificates of one's own, and a login."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import textwrap
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pyflink.java_gateway import get_gateway

from pyflink_jobs.local.java import find_java
from tests.command_line import millstream, process_call
from tests.projects import make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

PASSWORD = "a secret: of/the proxy"  # noqa: S105 - of a proxy that lives as long as the tests
LOGIN = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
TARGET = """
[tool.millstream.targets.{name}]
url = "{url}"
{more}
"""


class Proxy(BaseHTTPRequestHandler):
    """Passes what is below /team/flink on, for those who have the login."""

    protocol_version = "HTTP/1.1"
    behind: tuple[str, int] = ("", 0)

    def pass_on(self) -> None:
        body = self.body()
        if self.headers["Authorization"] != LOGIN:
            self.answer(401, b"who is there?", "text/plain")
        elif not self.path.startswith("/team/flink/"):
            self.answer(404, b"not here", "text/plain")
        else:
            inner = http.client.HTTPConnection(*self.behind)
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            inner.request(self.command, self.path.removeprefix("/team/flink"), body, headers)
            found = inner.getresponse()
            self.answer(found.status, found.read(), found.getheader("Content-Type") or "text/plain")

    do_GET = do_POST = do_PATCH = pass_on  # noqa: N815 - the server calls them by these names

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def pem(kind: str, der: bytes) -> str:
    lines = textwrap.fill(base64.b64encode(der).decode(), 64)
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


@pytest.fixture(scope="module")
def certificates(jvm_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of localhost that no system trusts, and its key: ca.pem and key.pem in a folder."""
    del jvm_project
    folder = tmp_path_factory.mktemp("certificates")
    keytool = find_java().executable.with_name("keytool")
    options = "-genkeypair -alias a -keyalg RSA -dname CN=localhost -ext san=dns:localhost -storetype PKCS12"
    subprocess.run([keytool, *options.split(), "-keystore", folder / "a.p12", "-storepass", "changeit"], check=True)
    jvm: Any = get_gateway().jvm
    store, writer = jvm.java.security.KeyStore.getInstance("PKCS12"), jvm.java.io.CharArrayWriter()
    writer.write("changeit")
    word = writer.toCharArray()
    store.load(jvm.java.io.FileInputStream(str(folder / "a.p12")), word)
    export = ["-exportcert", "-rfc", "-alias", "a", "-storepass", "changeit"]
    subprocess.run([keytool, *export, "-keystore", folder / "a.p12", "-file", folder / "ca.pem"], check=True)
    # Java's own class of keys is closed to Py4J, that of their encoded form is not.
    kind = jvm.java.lang.Class.forName("java.security.spec.PKCS8EncodedKeySpec")
    key = jvm.java.security.KeyFactory.getInstance("RSA").getKeySpec(store.getKey("a", word), kind)
    (folder / "key.pem").write_text(pem("PRIVATE KEY", bytes(key.getEncoded())))
    return folder


@pytest.fixture(scope="module")
def proxy(cluster: MiniCluster, certificates: Path) -> Iterator[str]:
    """Start the proxy in front of the MiniCluster, and return its address."""
    handler = type("Handler", (Proxy,), {"behind": (cluster.address, cluster.port)})
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "ca.pem", certificates / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()


def project(folder: Path, targets: dict[str, tuple[str, str]], job: str = "score") -> Path:
    numbers = "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')"
    sql = {
        "sources/numbers": numbers,
        "sinks/nowhere": "CREATE TABLE nowhere (n INT) WITH ('connector' = 'blackhole')",
        f"jobs/{job}": "INSERT INTO nowhere SELECT n FROM numbers",
    }
    settings = "".join(TARGET.format(name=name, url=url, more=more) for name, (url, more) in targets.items())
    return make_project(folder, sql, settings).root


def test_a_job_is_submitted_listed_and_stopped_through_the_proxy(
    proxy: str, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLINK_PASSWORD", PASSWORD)
    job = f"job{uuid4().hex[:6]}"
    more = f"ca = '{certificates / 'ca.pem'}'\nuser = 'me'\npassword = '${{FLINK_PASSWORD}}'"
    folder = project(tmp_path, {"far": (f"{proxy}/team/flink/", more)}, job)
    done = process_call(folder, "submit", job, "--target", "far", "--within", "60")
    assert done.code == 0, done.err
    listed = millstream(folder, "jobs", "--target", "far", "--json")
    (running,) = [one for one in json.loads(listed.out) if one["name"] == job]
    assert running["state"] == "RUNNING"
    assert f"{job}  RUNNING" in millstream(folder, "logs", job, "--target", "far", "--lines", "1").out
    assert "is stopped" in millstream(folder, "stop", job, "--target", "far").out
    # What this process's JVM cannot send is refused at once.
    refused = millstream(folder, "submit", job, "--target", "far")
    assert (refused.code, "this process's JVM was started for another" in refused.err) == (1, True), refused.err
    for each in (done, listed, refused):
        assert PASSWORD not in each.out + each.err
        assert LOGIN.removeprefix("Basic ") not in each.out + each.err


@pytest.mark.parametrize(
    ("path", "more", "fact", "fix"),
    [
        ("/team/flink", "", "CERTIFICATE_VERIFY_FAILED", "name the certificates to trust: `ca` of the target"),
        ("/team/flink", "ca = '@'", "HTTP Error 401", "give the target a login: `user` and `password`, or `token`"),
        (
            "/team/flink",
            "ca = '@'\nuser = 'you'\npassword = '${FLINK_PASSWORD}'",
            "HTTP Error 401",
            "correct the login",
        ),
        ("", "ca = '@'\nuser = 'me'\npassword = '${FLINK_PASSWORD}'", "HTTP Error 404", "correct `url` of the target"),
    ],
)
def test_what_a_proxy_refuses_is_said_at_once(
    path: str, more: str, fact: str, fix: str, proxy: str, certificates: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("FLINK_PASSWORD", PASSWORD)
    folder = project(tmp_path, {"far": (proxy + path, more.replace("@", str(certificates / "ca.pem")))})
    begun = time.monotonic()
    for words in (["submit", "score"], ["jobs"], ["stop", "score"], ["logs"], ["upgrade", "score"]):
        done = millstream(folder, *words, "--target", "far")
        assert done.code == 1
        assert fact in done.err
        assert fix in done.err
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("url", "more", "message"),
    [
        ("https://h/p", "user = 'me'\npassword = 'written-here'", "`password` has a secret in a file that others read"),
        ("https://me:written-here@h/p", "", "`url` has a secret in a file that others read"),
        ("https://h/p", "token = '${NO_SUCH}'", "environment variable NO_SUCH is not set"),
        ("https://h/p", "ca = 'nowhere.pem'", "there is no file of certificates nowhere.pem"),
    ],
)
def test_settings_that_cannot_be_used_are_named(url: str, more: str, message: str, tmp_path: Path) -> None:
    done = millstream(project(tmp_path, {"far": (url, more)}), "jobs", "--target", "far")
    assert done.code == 1
    assert message in done.err
    assert "written-here" not in done.err
