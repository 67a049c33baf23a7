"""What Flink refuses is said in one sentence, at its line, with a fix: SQL, and what users see of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pyflink_jobs
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.planning.flink.refusals import find_refusal
from tests.projects import make_project

if TYPE_CHECKING:
    from pyflink_jobs.errors import Finding
    from pyflink_jobs.project.settings import Project

DATA: dict[str, Any] = json.loads(Path(__file__).with_name("refused_sql.json").read_text())
CASES = {case["file"]: case for case in DATA["cases"]}
LONGEST = 250  # characters: two lines


@pytest.fixture(scope="module")
def found(jvm_project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Check all of it at once: each statement is refused by itself."""
    del jvm_project
    sql = {**DATA["tables"], **{file: case["sql"] for file, case in CASES.items()}}
    project = make_project(tmp_path_factory.mktemp("refused"), sql)
    findings = pyflink_jobs.check(project).findings
    return {str(f.place.file.relative_to("sql").with_suffix("")): f for f in findings if f.place}


@pytest.mark.slow  # a hundred statements take some twenty seconds; the quick tests below have Flink's words of a few
@pytest.mark.parametrize("file", CASES)
def test_a_sentence_for_what_flink_refuses(file: str, found: dict[str, Finding]) -> None:
    case = CASES[file]
    finding = found[case["at"].partition(".sql:")[0]]
    assert f"{finding.place}" == f"sql/{case['at']}"
    assert finding.message == case["message"]
    assert list(finding.fixes) == case["fixes"]
    assert len(finding.message) < LONGEST
    assert "\n" not in finding.message


@pytest.mark.slow
def test_explain_and_run_say_the_same_as_check(jvm_project: Project, tmp_path: Path) -> None:
    """Flink plans a query as a whole only when it is asked for its plan, or to run it."""
    del jvm_project
    query = "INSERT INTO o\nSELECT id, a FROM events ORDER BY a"
    project = make_project(tmp_path, {**DATA["tables"], "jobs/sorted": query})
    [checked] = pyflink_jobs.check(project).findings
    for command in (pyflink_jobs.plan, pyflink_jobs.run):
        with pytest.raises(MillstreamError) as caught:
            command(project, "sorted")
        [finding] = caught.value.findings
        assert (finding.place, finding.message, finding.fixes) == (checked.place, checked.message, checked.fixes)
        assert "TableException" in caught.value.detail


@pytest.mark.parametrize("case", DATA["words"], ids=lambda case: case["message"])
def test_flinks_words_and_ours(case: dict[str, Any]) -> None:
    refusal = find_refusal(case["said"])
    assert refusal is not None
    assert (refusal.words, list(refusal.fixes)) == (case["message"], case["fixes"])


def test_other_words_stay_as_they_are() -> None:
    assert find_refusal("the disk is full") is None
