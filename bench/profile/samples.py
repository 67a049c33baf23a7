"""Samples of stacks: of the JVM's threads by Java Flight Recorder, of Python's by py-spy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.profile.stages import stage_of_java, stage_of_python
from pyflink_jobs.errors import JobError
from pyflink_jobs.local.java import find_java

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["java_options", "java_stages", "python_stages", "sampling_python"]

_DEPTH = 64  # calls of a stack
_RATE = "100"  # of Python, a second
_SAMPLE = "jdk.ExecutionSample"
_SETTINGS = Path(__file__).with_name("samples.jfc")
_PROCESS = re.compile(r"process (\d+)")


def java_options(folder: Path) -> str:
    """Return the options of a JVM that writes its samples into a folder as it ends, and each mebibyte before."""
    folder.mkdir()
    recorder = f"-XX:FlightRecorderOptions=repository={folder},maxchunksize=1M"
    # With everything that Java's own profile records, a job takes more than twice its time.
    samples = f"settings={_SETTINGS},dumponexit=true,filename={folder}/end.jfr"
    return f"{recorder} -XX:StartFlightRecording={samples} -Xlog:jfr*=off"


def java_stages(folder: Path, start: float, end: float) -> dict[int, Counter[str]]:
    """Return how many samples between two moments, epoch seconds, are of which stage, by the system's thread number.

    Raises JobError where the JDK's tool is missing that reads recordings; a Java without compiler has none.
    """
    tool = find_java().executable.with_name("jfr")
    if not tool.exists():
        raise JobError("profiles need the tool jfr of a JDK", fixes=("install a JDK of Java 17, with its bin/jfr",))
    options = ["--json", "--stack-depth", str(_DEPTH), "--events", _SAMPLE]
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for file in sorted(folder.rglob("*.jfr")):
        printed = subprocess.run([str(tool), "print", *options, str(file)], capture_output=True, check=False)
        if printed.returncode:  # unfinished data are in another file
            continue
        for event in json.loads(printed.stdout)["recording"]["events"]:
            values = event["values"]
            if start <= datetime.fromisoformat(values["startTime"]).timestamp() < end:
                stage = stage_of_java(_call(frame["method"]) for frame in values["stackTrace"]["frames"])
                found[values["sampledThread"]["osThreadId"]][stage] += 1
    return found


def _call(method: dict[str, dict[str, str]]) -> str:
    return f"{method['type']['name'].replace('/', '.')}.{method['name']}"


@contextmanager
def sampling_python(pid: int, file: Path) -> Iterator[None]:
    """Sample the Python processes that descend from this one, while the block and they run."""
    tool = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or "py-spy"
    command = [tool, "record", "--subprocesses", "--nonblocking", "--rate", _RATE, "--format", "raw"]
    with subprocess.Popen(
        [*command, "--output", str(file), "--duration", "3600", "--pid", str(pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as spy:
        try:
            yield
        finally:
            spy.wait(60)  # it ends with the process


def python_stages(file: Path) -> dict[int, Counter[str]]:
    """Return how many samples are of which stage, by process; `file` has py-spy's raw form, a stack on each line."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        # A process follows those that started it.
        frames = stack.split(";")
        *_, (last, process) = ((i, match) for i, frame in enumerate(frames) if (match := _PROCESS.match(frame)))
        found[int(process[1])][stage_of_python(reversed(frames[last + 1 :]))] += int(count)
    return found
