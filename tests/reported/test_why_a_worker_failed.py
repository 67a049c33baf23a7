"""A job whose worker fails, or whose functions cannot be loaded, says why in one paragraph.

`worker_failures.tar.xz` has the exceptions of such jobs as PyFlink raised them on a MiniCluster, one file each; only
the folders are other ones: Millstream is in /opt/millstream, a Python that lacks a module in /opt/venv, and a user's
functions in /home/ada/churn. `worker_failures.json` has the sentence that a user must see for each.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from pyflink_jobs.causes import summarize
from pyflink_jobs.planning.flink.errors import read_exception

HERE = Path(__file__).parent
SENTENCES: dict[str, str] = json.loads((HERE / "worker_failures.json").read_text(encoding="utf-8"))


def raw_texts() -> dict[str, str]:
    with tarfile.open(HERE / "worker_failures.tar.xz") as files:
        found = {file.name: files.extractfile(file) for file in files}
        return {name: content.read().decode() for name, content in found.items() if content}


TEXTS = raw_texts()


@pytest.mark.parametrize("name", sorted({*SENTENCES, *TEXTS}))
def test_a_failure_is_one_paragraph_with_its_cause(name: str) -> None:
    assert read_exception(Exception(TEXTS[name])).text == SENTENCES[name]


HISTORY = "org.apache.flink.runtime.JobException: Recovery is suppressed"
"""Where the text begins that a cluster's history of exceptions has: all but what the client adds."""


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if HISTORY in text])
def test_a_clusters_history_of_exceptions_gives_the_same(name: str) -> None:
    assert summarize(TEXTS[name][TEXTS[name].index(HISTORY) :]) == SENTENCES[name]
