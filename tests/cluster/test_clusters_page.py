"""The commands of docs/clusters.md, as a reader would type them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands.test_docs import copy_project, run, script

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_the_page_about_clusters(tmp_path: Path) -> None:
    copy_project(tmp_path)
    done = run(script("clusters.md"), tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "score is running at http://127.0.0.1:" in said
    assert "keeps  `departures`, `mean_delay`, `late_share` (sql/features/origin_congestion.sql)" in said
    assert "loses" not in said
    assert "score  FINISHED" in said
