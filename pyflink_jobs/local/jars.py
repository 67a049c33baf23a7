"""The jars that run on Java: pinned in `jars.lock`, fetched once, checked by sha256 at every use.

Hashing the broker's 46 jars takes about a tenth of a second, so checks are not cached.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LOCK", "Jar", "cache_folder", "jars", "locked"]

LOCK = Path(__file__).with_name("jars.lock")
_DOWNLOADS_AT_ONCE = 8
_TIMEOUT = 20  # seconds without a byte
_PAUSES = (1.0, 4.0)  # seconds before another try after a failure of the network


@dataclass(frozen=True)
class Jar:
    """A jar by its Maven coordinates, with the digest that its file must have."""

    coordinates: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The file's name in the cache."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def locked(section: str) -> list[Jar]:
    """Return the jars of one section of `jars.lock`."""
    lock = tomllib.loads(LOCK.read_text())
    return [Jar(coordinates, sha256) for coordinates, sha256 in lock[section]["jars"].items()]


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Return `$MILLSTREAM_CACHE`, else `millstream` in the user's cache folder."""
    if chosen := env.get("MILLSTREAM_CACHE"):
        return Path(chosen).resolve()
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "millstream"


def jars(section: str, env: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the verified files of a section of `jars.lock`; fetch those that the cache lacks.

    `MILLSTREAM_MAVEN` names another Maven repository to fetch from. Several processes may call this at once.
    Raises LocalError where a jar cannot be fetched, or differs from the locked one.
    """
    wanted = locked(section)
    folder = cache_folder(env) / "jars"
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        whole = list(pool.map(lambda jar: _sha256(folder / jar.file_name) == jar.sha256, wanted))
    missing = [jar for jar, there in zip(wanted, whole, strict=True) if not there]
    if missing:
        _fetch_all(missing, folder, env.get("MILLSTREAM_MAVEN"))
    return [folder / jar.file_name for jar in wanted]


def _fetch_all(missing: list[Jar], folder: Path, mirror: str | None) -> None:
    from rich.console import Console
    from rich.progress import track

    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
    try:
        fetched = pool.map(lambda jar: _fetch(jar, folder, mirror), missing)
        for _ in track(
            fetched,
            f"Fetching {len(missing)} jars",
            len(missing),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, folder: Path, mirror: str | None) -> None:
    """Download one jar to a temporary folder, verify it, and move it into the cache."""
    found: str | None = None
    for _ in range(2):  # a damaged download gets a second try
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as private:
            file = _download(jar, Path(private), mirror)
            found = _sha256(file)
            if found == jar.sha256:
                file.replace(folder / jar.file_name)
                return
    raise LocalError(
        f"{jar.coordinates} is not the jar that was locked",
        facts=(f"expected sha256 {jar.sha256}", f"found    sha256 {found}"),
        fixes=(
            "find the proxy or mirror that changes files between the Maven repository and this machine",
            "name another Maven repository: MILLSTREAM_MAVEN=URL",
        ),
    )


def _download(jar: Jar, into: Path, mirror: str | None) -> Path:
    import requests
    from jgo.maven import MavenContext

    group, artifact, version = jar.coordinates.split(":")
    remotes = {"mirror": mirror.rstrip("/")} if mirror else None
    maven = MavenContext(repo_cache=into, remote_repos=remotes, timeout=_TIMEOUT)
    wanted = maven.project(group, artifact).at_version(version).artifact()
    try:
        for pause in _PAUSES:
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                return Path(wanted.resolve())
            time.sleep(pause)
        return Path(wanted.resolve())
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise LocalError(
            f"cannot fetch {jar.coordinates}",
            facts=(f"from {mirror or 'the central Maven repository'}: {_why(error)}",),
            fixes=(
                "connect this machine to the network and try again (fetched files stay in the cache)",
                "name a Maven repository that this machine reaches: MILLSTREAM_MAVEN=URL",
                f"copy the folder {into.parent} from a machine that has it",
            ),
            detail=str(error),
        ) from error


def _why(error: BaseException) -> str:
    """Return the innermost reason: the network's message, not those of the layers above it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return f"{error.strerror or error}" if isinstance(error, OSError) else f"{error}".split("{", maxsplit=1)[0].strip()


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None
