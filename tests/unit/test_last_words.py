"""What a worker wrote about its own end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.running.last_words import last_words

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_words_of_a_worker(tmp_path: Path) -> None:
    assert not last_words(tmp_path)
    line = "2026-01-01 12:00:00,000 ERROR PythonWorker  [] - /opt/beam_sdk_worker_main.py:67 {}\n"
    words = "millstream: model m, version 1, did not answer within 1 s"
    (tmp_path / "flink.log").write_text(line.format("millstream: older") + line.format(words) + line.format("other"))
    assert last_words(tmp_path) == words
