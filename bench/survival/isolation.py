"""Namespaces of Linux: a private network and mount table, so that faults do not affect other processes.

There are two network namespaces: one of the Flink cluster and this process, one of the broker and its clients. A pair
of virtual interfaces connects them.
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
"""The broker's address, in a private network."""

_INSIDE = "MILLSTREAM_SURVIVAL_ISOLATED"
_NEAR, _FAR = "10.77.0.1", "10.77.0.2"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def isolated() -> bool:
    """Return whether this process is in its own namespaces."""
    return os.environ.get(_INSIDE) == "1"


def isolate() -> None:
    """Restart this program in its own namespaces, if the system allows that."""
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
    """The broker's network namespace. Threads and processes `inside` open their connections there."""

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
            # On lo, since an address is lost with its interface, and `far` is the one that is cut.
            ("addr", "add", f"{HOST}/32", "dev", "lo"),
            ("addr", "add", f"{_FAR}/30", "dev", "far"),
            ("link", "set", "far", "up"),
        ):
            self._there(*words)
        _run("ip", "route", "add", HOST, "via", _FAR)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move this thread there for the block."""
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
        """Take the far end down: packets are dropped silently."""
        self._there("link", "set", "far", "down")

    def restore(self) -> None:
        """Undo `cut`."""
        self._there("link", "set", "far", "up")

    def close(self) -> None:
        """Remove the namespace."""
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
        """Mount it; only this process and its descendants see it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={self.mebibytes}m", "none", str(self.folder))

    def fill(self) -> None:
        """Fill it to the last byte."""
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
        """Refuse all writes, also root's."""
        # Not a remount, which fails while files are open for writing: a read-only mount is moved over it.
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
