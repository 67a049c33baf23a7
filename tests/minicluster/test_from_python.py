"""The reference's section "From Python" does what it says, on a real broker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.local.send import send_records
from pyflink_jobs.local.topics import create, read
from pyflink_jobs.scaffold.scaffold import create_project

if TYPE_CHECKING:
    from pyflink_jobs.local.broker import Broker

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()


@pytest.mark.slow
def test_the_example_checks_plans_and_runs_a_project(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILLSTREAM_KAFKA", broker.bootstrap_servers)
    create_project(Path("machines"))
    events = Path("machines/data/events.jsonl").read_bytes().splitlines()
    delete(broker.bootstrap_servers, ["events", "predictions", "quarantine"])  # other tests have topics of these names
    create(broker.bootstrap_servers, {"events": 1})
    send_records(broker.bootstrap_servers, "events", events)
    (example,) = re.findall(r"^```python\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)

    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - the text is ours

    assert names["checked"].ok
    assert names["checked"].jobs == 1
    assert names["outcome"].counts.written["predictions"] == len(events)
    assert len(read(broker.bootstrap_servers, "predictions")) == len(events)
    printed = capsys.readouterr().out
    assert "PythonCalc" in printed
    assert "FINISHED" in printed


def test_the_table_lists_every_function() -> None:
    import pyflink_jobs

    functions = {name for name in pyflink_jobs.__all__ if name.islower()}
    section = REFERENCE.partition("## From Python")[2]
    assert set(re.findall(r"^\| `(\w+)\(", section, re.MULTILINE)) == functions
