"""Namespaces of Linux: a network and a mount table of one's own, so that both can be broken without harm to others.

There are two places. In one are the Flink cluster and this process, in the other the broker and what speaks with it;
a pair of virtual interfaces is the only way between them.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HOST", "Network", "SmallDisk", "isolate", "isolated"]

HOST = "10.77.1.1"
"""The broker's address, in a network that nobody else sees."""

_INSIDE = "MILLSTREAM_SURVIVAL_ISOLATED"
_NEAR, _FAR = "10.77.0.1", "10.77.0.2"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def isolated() -> bool:
    """Say whether this process has namespaces of its own."""
    return os.environ.get(_INSIDE) == "1"


def isolate() -> None:
    """Start this program again in namespaces of its own, where the system allows that; else go on without."""
    if isolated():
        _run("ip", "link", "set", "lo", "up")
        return
    words = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    if shutil.which("unshare") and shutil.which("ip") and shutil.which("nsenter"):
        tried = subprocess.run([*words, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
        if tried.returncode == 0:
            os.environ[_INSIDE] = "1"
            os.execvp("unshare", [*words, sys.executable, *sys.orig_argv[1:]])  # noqa: S606, S607 - no shell is wanted; found just now


@dataclass
class Network:
    """The broker's place. A thread that is `inside` opens its connections there, and so do what it starts."""

    _holder: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        holding = ["unshare", "--net", "sleep", "infinity"]
        self._holder = subprocess.Popen(holding)
        self._wait_for_holder()
        _run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self._holder.pid))
        _run("ip", "addr", "add", f"{_NEAR}/30", "dev", "near")
        _run("ip", "link", "set", "near", "up")
        for words in (
            ("link", "set", "lo", "up"),
            # At lo, for an address goes with the interface that it stands at, and that is the one which is cut.
            ("addr", "add", f"{HOST}/32", "dev", "lo"),
            ("addr", "add", f"{_FAR}/30", "dev", "far"),
            ("link", "set", "far", "up"),
        ):
            self._there(*words)
        _run("ip", "route", "add", HOST, "via", _FAR)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread be there for a while."""
        with (
            Path("/proc/thread-self/ns/net").open("rb") as here,
            Path(f"/proc/{self._holder.pid}/ns/net").open("rb") as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    def cut(self) -> None:
        """Take the far end down: packets vanish, and nobody is told."""
        self._there("link", "set", "far", "down")

    def mend(self) -> None:
        """Undo `cut`."""
        self._there("link", "set", "far", "up")

    def close(self) -> None:
        """Give the place up."""
        self._holder.kill()
        self._holder.wait()

    def _there(self, *words: str) -> None:
        _run("nsenter", "--target", str(self._holder.pid), "--net", "ip", *words)

    def _wait_for_holder(self) -> None:
        here = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{self._holder.pid}/ns/net").readlink() == here:
            if self._holder.poll() is not None:
                raise OSError("no second network namespace can be made")


@dataclass(frozen=True)
class SmallDisk:
    """A disk in memory of `mebibytes`, mounted at a folder."""

    folder: Path
    mebibytes: int = 512

    def mount(self) -> None:
        """Mount it; only this process and what it starts see it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={self.mebibytes}m", "none", str(self.folder))

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / "full").open("wb", buffering=0) as file:
            block = bytes(1 << 16)
            try:
                while file.write(block):
                    pass
            except OSError:
                return

    def empty(self) -> None:
        """Undo `fill`."""
        (self.folder / "full").unlink()

    def refuse(self) -> None:
        """Take no more writes, not even root's."""
        # Not a remount, which fails while files are open for writing: what is put in front is read-only already.
        aside = self.folder.with_name(f"{self.folder.name}-refusing")
        aside.mkdir(exist_ok=True)
        _run("mount", "--bind", str(self.folder), str(aside))
        _run("mount", "-o", "remount,bind,ro", str(aside))
        _run("mount", "--move", str(aside), str(self.folder))

    def accept(self) -> None:
        """Undo `refuse`."""
        _run("umount", "--lazy", str(self.folder))


def _enter(namespace: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _run(*words: str) -> None:
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise OSError(f"{' '.join(words)}: {run.stderr.strip()}")
