"""Which of Flink's options a job gets: those given for a run, before the project's, before Millstream's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.running.environment import table_environment
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

TIME = "python.fn-execution.bundle.time"


@pytest.mark.parametrize(
    ("configured", "given", "stream", "bounded"),
    [
        ("restart-strategy.type: none", {}, "100", "1000"),
        (f"{TIME}: 50", {}, "50", "50"),
        (f"{TIME}: 50", {TIME: "20"}, "20", "20"),
    ],
)
def test_a_bounded_job_waits_longer_unless_the_time_is_configured(
    tmp_path: Path, configured: str, given: dict[str, str], stream: str, bounded: str
) -> None:
    project = make_project(tmp_path, {})
    file = project.root / project.settings.flink_conf
    file.parent.mkdir(exist_ok=True)
    file.write_text(configured)
    assert table_environment(project, given).get_config().get(TIME, "") == stream
    assert table_environment(project, given, bounded=True).get_config().get(TIME, "") == bounded
