"""Options of the JVM with which it starts and plans in less time, and its archive of classes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyflink_jobs.local.jars import cache_folder
from pyflink_jobs.running.fast_start.class_archive import Archive
from pyflink_jobs.running.fast_start.flink_jars import prepare_folder

if TYPE_CHECKING:
    from pyflink_jobs.local.java import Java

__all__ = ["are_the_users", "set_fast_start", "start_quickly", "unset_fast_start"]

_ALL = "-Xmx2g -Xshare:auto -XX:MetaspaceSize=256m"  # a collection for the sake of classes would come at 20 MB of them
# Java's better compiler has more work at a job's start than the planner itself. It waits until code has run ten times
# as often as usual: what runs for each record has soon, what plans never.
_LATER = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)

# By the kind of what the JVM is for; each has an archive of classes of its own.
_OPTIONS = {
    "run": f"{_ALL} {_LATER}",
    # Nearly half the time to plan, half a long job's speed. Planning ends before that many new objects are made.
    "plan": f"{_ALL} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmn400m",
}


def start_quickly() -> None:
    """Ask for a JVM that suits what plans much and runs little.

    To be called before the JVM starts. `JVM_ARGS`, where it is set, wins.
    """
    os.environ.setdefault("JVM_ARGS", _OPTIONS["plan"])


def set_fast_start(java: Java, *, write: bool) -> Archive | None:
    """Set the JVM's jars and options in the environment; return its archive of classes, to be written or used.

    `JVM_ARGS`, where it is set, wins over our options: then there is no archive.
    Raises LocalError where a jar cannot be fetched.
    """
    folder = prepare_folder(java)
    os.environ["FLINK_LIB_DIR"] = str(folder / "lib")
    chosen = os.environ.setdefault("JVM_ARGS", _OPTIONS["run"])
    for kind, options in _OPTIONS.items():
        if options == chosen:
            archive = Archive(folder, kind, java)
            os.environ["JVM_ARGS"] = " ".join([chosen, *archive.options(write=write)])
            return archive
    return None


def unset_fast_start() -> None:
    """Take back what `set_fast_start` and `start_quickly` have set: the JVM starts as Flink starts it."""
    if os.environ.get("FLINK_LIB_DIR", "").startswith(str(cache_folder())):
        del os.environ["FLINK_LIB_DIR"]
    if "JVM_ARGS" in os.environ and not are_the_users():
        del os.environ["JVM_ARGS"]


def are_the_users() -> bool:
    """Return whether `JVM_ARGS` has options that the user has set, rather than ours."""
    return not os.environ.get("JVM_ARGS", _ALL).startswith(_ALL)
