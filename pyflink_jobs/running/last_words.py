"""What a Python worker, or the interpreter in Flink's JVM, wrote about its own end.

It is among Flink's logs, since Flink does not have it in its exception.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["last_words"]

_WORDS = re.compile(r"(?:PythonWorker .*? |^)(millstream: .+)$", re.MULTILINE)  # as udfs.scoring.time_limit writes them


def last_words(log: Path) -> str:
    """Return the last such line in the newest file of a folder of logs; "" if there is none."""
    files = sorted(log.glob("*.log"), key=lambda file: file.stat().st_mtime)
    found = _WORDS.findall(files[-1].read_text(encoding="utf-8", errors="replace")) if files else []
    return found[-1] if found else ""
