"""The machine of a measurement."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from pyflink_jobs.local.java import find_java

__all__ = ["describe"]

_PACKAGES = ("apache-flink", "confluent-kafka", "millstream", "numpy", "onnxruntime", "pandas", "pyarrow")


def describe() -> dict[str, object]:
    """Return the machine, its current load, and the versions of its software."""
    return {
        "system": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "java": find_java().version,
        **{package: version(package) for package in _PACKAGES},
    }


def _cpu() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
