"""Read given/expect files: a view, the rows that its sources have, the rows that it must return.

    an airport's last hour:
      view: origin_congestion
      modes: [streaming, batch]              # default: streaming
      given:
        departures:
          - {origin: EWR, departed_ms: 2013-04-01T10:02:00Z, dep_delay: 20}
          - watermark: 2013-04-01T11:00:00Z  # the watermark after the row above
      expect:
        - {origin: EWR, departures: 1, mean_delay: 20.0}

Values stay text here, whatever their YAML type: the column's SQL type defines what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from pyflink_jobs.errors import FeatureTestError, Finding, Place, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["Cell", "FeatureTest", "Given", "Row", "read_feature_files"]

_KEYS = ("view", "modes", "given", "expect")
_MODES = ("streaming", "batch")
_NULL = "tag:yaml.org,2002:null"
_Node = Any  # ruamel.yaml's nodes have no types


@dataclass(frozen=True)
class Cell:
    """A value as it is written, None for NULL, and its place."""

    text: str | None
    place: Place


@dataclass(frozen=True)
class Row:
    """A row's cells by column, and the watermark after it, if the file has one."""

    cells: dict[str, Cell]
    place: Place
    watermark: Cell | None = None


@dataclass(frozen=True)
class Given:
    """The rows of one source table, in order of arrival."""

    rows: list[Row]
    place: Place


@dataclass(frozen=True)
class FeatureTest:
    """One test; `modes` are "streaming" and "batch", `place` is the line of its name."""

    name: str
    view: Cell
    modes: tuple[str, ...]
    given: dict[str, Given]
    expect: list[Row]
    place: Place


def read_feature_files(project: Project, files: Iterable[Path]) -> list[FeatureTest]:
    """Read given/expect files; raises FeatureTestError with all mistakes in them."""
    findings: list[Finding] = []
    tests: list[FeatureTest] = []
    for file in files:
        reader = _Reader(project.relative(file), findings)
        try:
            tests += reader.tests(YAML().compose(file.read_text(encoding="utf-8")))
        except OSError as error:
            findings.append(Finding(f"cannot be read: {error.strerror}", Place(reader.file)))
        except UnicodeDecodeError as error:
            findings.append(Finding(f"not UTF-8 text: {error.reason} at byte {error.start}", Place(reader.file)))
        except YAMLError as error:
            findings.append(_bad_yaml(error, reader.file))
    if findings:
        raise FeatureTestError(findings)
    return tests


def _bad_yaml(error: YAMLError, file: Path) -> Finding:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Finding(f"not valid YAML: {error}", Place(file))
    mark = error.problem_mark
    facts = (error.context,) if error.context else ()
    return Finding(f"not valid YAML: {error.problem}", Place(file, mark.line + 1, mark.column + 1), facts)


class _Reader:
    """Turns YAML nodes into tests; a mistake becomes a finding, and reading continues."""

    def __init__(self, file: Path, findings: list[Finding]) -> None:
        self.file = file
        self._findings = findings

    def tests(self, root: _Node) -> list[FeatureTest]:
        if root is None:
            self._findings.append(Finding("the file has no tests", Place(self.file)))
            return []
        named = self._mapping(root, "tests by name")
        return [test for key, (place, body) in named.items() if (test := self._test(key, place, body))]

    def _test(self, name: str, place: Place, node: _Node) -> FeatureTest | None:
        parts = self._mapping(node, "view, given and expect")
        for key, (at, _) in parts.items():
            if key not in _KEYS:
                fixes = did_you_mean(key, _KEYS, "leave it out")
                self._findings.append(Finding(f"unknown key `{key}`", at, (f"known are: {', '.join(_KEYS)}",), fixes))
        if missing := [key for key in ("view", "given", "expect") if key not in parts]:
            message = f"test `{name}` has no {' and no '.join(missing)}"
            fix = "`expect: []` means that the view returns no row"
            self._findings.append(Finding(message, place, fixes=(fix,) if "expect" in missing else ()))
            return None
        given = self._mapping(parts["given"][1], "rows by table")
        return FeatureTest(
            name,
            Cell(self._text(parts["view"][1]), parts["view"][0]),
            self._modes(*parts["modes"]) if "modes" in parts else _MODES[:1],
            {table: Given(self._rows(node, f"rows of {table}"), at) for table, (at, node) in given.items()},
            self._expected(name, self._rows(parts["expect"][1], "the expected rows")),
            place,
        )

    def _modes(self, place: Place, node: _Node) -> tuple[str, ...]:
        modes = tuple(str(self._text(item)) for item in self._sequence(node, "of modes"))
        if not modes or not set(modes) <= set(_MODES):
            found = f"`modes` is [{', '.join(modes)}]"
            self._findings.append(Finding(found, place, fixes=(f"choose from [{', '.join(_MODES)}]",)))
        return tuple(dict.fromkeys(modes))

    def _rows(self, node: _Node, what: str) -> list[Row]:
        rows: list[Row] = []
        for item in self._sequence(node, what):
            cells = {
                column: Cell(self._text(value), place)
                for column, (place, value) in self._mapping(item, "columns and their values").items()
            }
            if list(cells) == ["watermark"]:
                self._watermark(rows, cells["watermark"])
            else:
                rows.append(Row(cells, self._place(item)))
        return rows

    def _watermark(self, rows: list[Row], watermark: Cell) -> None:
        """Add a watermark to the row above it."""
        if rows and rows[-1].watermark is None:
            rows[-1] = Row(rows[-1].cells, rows[-1].place, watermark)
        else:
            message = "a second watermark after the same row" if rows else "a watermark before the first row"
            fix = "a watermark follows a row and is the event time after it: write one at most"
            self._findings.append(Finding(message, watermark.place, fixes=(fix,)))

    def _expected(self, name: str, rows: list[Row]) -> list[Row]:
        """Check that all expected rows name the same columns, which are those that are compared."""
        columns = dict.fromkeys(column for row in rows for column in row.cells)
        for row in rows:
            if row.watermark:
                self._findings.append(Finding("a watermark is not allowed in `expect`", row.watermark.place))
            if not row.cells:
                self._findings.append(Finding("an expected row names no columns", row.place))
            elif missing := [column for column in columns if column not in row.cells]:
                self._findings.append(
                    Finding(
                        f"expected row of `{name}` does not name {', '.join(f'`{c}`' for c in missing)}, others do",
                        row.place,
                        fixes=(f"write {missing[0]}: null where NULL is expected", "leave it out of all rows"),
                    )
                )
        return rows

    def _mapping(self, node: _Node, what: str) -> dict[str, tuple[Place, _Node]]:
        """Return a mapping's values by key, each with the place of its key."""
        found: dict[str, tuple[Place, _Node]] = {}
        if not isinstance(node, MappingNode):
            self._findings.append(Finding(f"expected a mapping: {what}", self._place(node)))
            return found
        for key, value in node.value:
            text, place = str(self._text(key)), self._place(key)
            if text in found:
                first = found[text][0].line
                self._findings.append(Finding(f"`{text}` is here twice", place, (f"first on line {first}",)))
            found[text] = (place, value)
        return found

    def _sequence(self, node: _Node, what: str) -> list[_Node]:
        if isinstance(node, SequenceNode):
            return list(node.value)
        self._findings.append(Finding(f"expected a list {what}", self._place(node), fixes=("an empty list is []",)))
        return []

    def _text(self, node: _Node) -> str | None:
        if not isinstance(node, ScalarNode):
            self._findings.append(Finding("expected a single value", self._place(node)))
            return None
        return None if str(node.tag) == _NULL else str(node.value)

    def _place(self, node: _Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
