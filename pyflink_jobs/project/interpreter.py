"""The interpreter that Flink starts inside its JVM, where `python.execution-mode` is "thread": what it can import.

It is the library of the configured interpreter, and knows neither that one's virtual environment nor its packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import udfs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXECUTION_MODE", "PROCESS", "THREAD", "embedded_options"]

EXECUTION_MODE = "python.execution-mode"
"""The option of Flink: whether functions run in processes of their own, or in the JVM."""

PROCESS, THREAD = "process", "thread"
_EXECUTABLE = "python.executable"
_ASK = "import sysconfig; print(sysconfig.get_path('purelib')); print(sysconfig.get_path('platlib'))"


def embedded_options(options: Mapping[str, str]) -> dict[str, str]:
    """Return the options that let an interpreter inside the JVM import the configured interpreter's packages.

    An interpreter that is sent with the job needs none: Flink makes its folder the embedded one's home. One that is not
    on this machine is assumed to have its packages where virtual environments have them.
    """
    executable = options.get(_EXECUTABLE, "")
    if options.get(EXECUTION_MODE) != THREAD or not Path(executable).is_absolute():
        return {}
    return {"python.pythonpath": os.pathsep.join(dict.fromkeys(_packages(executable)))}


def _packages(executable: str) -> list[str]:
    if executable == sys.executable:
        # The code of a checkout lies elsewhere, and the file in site-packages that says where is not read.
        return [str(Path(udfs.__file__).parents[1]), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if Path(executable).is_file():
        answer = subprocess.run([executable, "-c", _ASK], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.split()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"  # functions are pickled: it is the same
    return [str(Path(executable).parents[1] / "lib" / version / "site-packages")]
