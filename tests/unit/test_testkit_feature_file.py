"""Reading given/expect files: what they say, and all that is wrong with them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.errors import FeatureTestError, Finding
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.testkit.feature_file import FeatureTest, read_feature_files

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path, *texts: str) -> list[FeatureTest]:
    files = [folder / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return read_feature_files(Project(folder, Settings()), files)


def _findings(folder: Path, *texts: str) -> list[Finding]:
    with pytest.raises(FeatureTestError) as caught:
        _read(folder, *texts)
    return caught.value.findings


def _lines(folder: Path, *texts: str) -> list[tuple[int | None, str]]:
    return [(finding.place.line if finding.place else None, finding.message) for finding in _findings(folder, *texts)]


def test_rows_stay_text_and_a_watermark_hangs_on_the_row_above_it(tmp_path: Path) -> None:
    [test] = _read(
        tmp_path,
        """\
an hour:
  view: busy
  given:
    flights:
      - {id: 0515, at: 2013-04-01T10:02:00Z, delay: ~, note: "null"}
      - watermark: 2013-04-01T11:00:00Z
      - {id: no}
  expect:
    - {n: 1}
""",
    )
    first, second = test.given["flights"].rows
    cells = {name: cell.text for name, cell in first.cells.items()}
    assert cells == {"id": "0515", "at": "2013-04-01T10:02:00Z", "delay": None, "note": "null"}
    assert (first.place.line, second.place.line) == (5, 7)
    assert first.watermark is not None
    assert (first.watermark.text, first.watermark.place.line) == ("2013-04-01T11:00:00Z", 6)
    assert (second.watermark, second.cells["id"].text) == (None, "no")
    assert (test.name, test.view.text, test.modes, test.place.line) == ("an hour", "busy", ("streaming",), 1)


def test_aliases_repeat_a_row(tmp_path: Path) -> None:
    [test] = _read(tmp_path, "t:\n  view: v\n  given: {}\n  expect:\n    - &row {n: 1}\n    - *row\n")
    assert [row.cells["n"].text for row in test.expect] == ["1", "1"]


def test_all_findings_of_all_files_come_at_once(tmp_path: Path) -> None:
    wrong = """\
no view:
  given: {}
  expect: []
twice: {}
twice: {}
watermark first:
  view: v
  given:
    t:
      - watermark: 2013-04-01T11:00:00Z
      - {a: [1]}
  expect: {a: 1}
"""
    assert _lines(tmp_path, wrong, "t: [1,\n") == [
        (5, "`twice` is here twice"),
        (1, "test `no view` has no view"),
        (5, "test `twice` has no view and no given and no expect"),
        (10, "a watermark before the first row"),
        (11, "expected a single value"),
        (12, "expected a list the expected rows"),
        (2, "not valid YAML: expected the node content, but found '<stream end>'"),
    ]


def test_keys_modes_and_columns_are_checked(tmp_path: Path) -> None:
    text = "t:\n  view: v\n  modes: [stream]\n  given: {}\n  expects: []\n  expect:\n    - {a: 1, b: 2}\n    - {a: 1}\n"
    unknown, mode, columns = _findings(tmp_path, text)
    assert (unknown.message, unknown.fixes) == ("unknown key `expects`", ("write `expect`",))
    assert (str(mode.place), mode.message) == ("0.yaml:3:3", "`modes` is [stream]")
    assert (str(columns.place), columns.message) == ("0.yaml:8:7", "expected row of `t` does not name `b`, others do")


def test_an_empty_file_and_a_missing_one(tmp_path: Path) -> None:
    assert _lines(tmp_path, "# nothing\n") == [(None, "the file has no tests")]
    with pytest.raises(FeatureTestError, match=r"^none\.yaml: cannot be read: No such file"):
        read_feature_files(Project(tmp_path, Settings()), [tmp_path / "none.yaml"])
