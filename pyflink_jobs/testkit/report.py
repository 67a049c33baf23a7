"""Outcomes as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pyflink_jobs.testkit.diff import same_cell
from pyflink_jobs.testkit.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from pyflink_jobs.testkit.cases import Case
    from pyflink_jobs.testkit.run import Outcome
    from pyflink_jobs.testkit.values import Value

__all__ = ["as_json", "print_outcome", "summary", "title"]

_STYLES = {"-": "red", "+": "green", "~": "yellow"}
_LEGEND = {"~": "~ found != expected", "-": "- expected, not found", "+": "+ found, not expected"}


def title(case: Case) -> str:
    """Return a case's file, line and name, and its mode if that is not streaming."""
    place = case.test.place
    return f"{place.file}:{place.line} {case.test.name}{'' if case.mode == 'streaming' else f' ({case.mode})'}"


def print_outcome(console: Console, outcome: Outcome) -> None:
    """Print one line, and for a failed case the rows that differ below it."""
    mark = Text("ok  ", "green") if outcome.passed else Text("FAIL", "bold red")
    console.print(Text.assemble(mark, f" {title(outcome.case)}"))
    if outcome.error:
        console.print(_below("\n".join(map(str, outcome.error.findings))))
    elif not outcome.passed:
        console.print(Padding.indent(_table(outcome), 5))
        legend = ", ".join(text for mark, text in _LEGEND.items() if mark in {row[0] for row in _differences(outcome)})
        console.print(_below(legend, "dim"))


def _below(text: str, style: str = "") -> Padding:
    """Return a text below an outcome's line, with an empty line after it."""
    return Padding(Text(text, style), (0, 0, 1, 5), expand=False)


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the closing line: 5 passed, 1 failed in 7.2 s."""
    passed = sum(outcome.passed for outcome in outcomes)
    failed = len(outcomes) - passed
    counts = [f"{passed} passed"] * bool(passed) + [f"{failed} failed"] * bool(failed)
    return f"{', '.join(counts)} in {seconds:.1f} s"


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as plain values; cells are text as in a test, NULL is null."""
    test = outcome.case.test
    return {
        "file": str(test.place.file),
        "line": test.place.line,
        "name": test.name,
        "view": test.view.text,
        "mode": outcome.case.mode,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 3),
        "error": [finding.as_json() for finding in outcome.error.findings] if outcome.error else None,
        "differences": [
            {"line": line, "expected": _named(outcome, expected), "found": _named(outcome, found)}
            for _, line, expected, found in _differences(outcome)
        ],
    }


_Cells = tuple["Value", ...]


def _differences(outcome: Outcome) -> Iterator[tuple[str, int | None, _Cells | None, _Cells | None]]:
    """Yield a mark, the line of the expected row, the expected and the found row of each difference."""
    case, diff = outcome.case, outcome.diff
    lines = [row.place.line for row in case.test.expect]
    for position, found in diff.changed:
        yield "~", lines[position], case.expected[position], found
    for position in diff.missing:
        yield "-", lines[position], case.expected[position], None
    for found in diff.unexpected:
        yield "+", None, None, found


def _named(outcome: Outcome, row: _Cells | None) -> dict[str, str | None] | None:
    if row is None:
        return None
    columns = zip(outcome.case.columns, row, strict=True)
    return {column.name: None if cell is None else shown(cell, column.type) for column, cell in columns}


def _table(outcome: Outcome) -> Table:
    columns = outcome.case.columns
    table = Table("", "line", *(column.name for column in columns), box=None, header_style="bold", pad_edge=False)
    for heading in table.columns:
        heading.overflow = "fold"
    for mark, line, expected, found in _differences(outcome):
        cells = []
        for index, column in enumerate(columns):
            wanted = expected[index] if expected else None
            got = found[index] if found else None
            text = shown(got if found else wanted, column.type)
            changed = bool(expected and found) and not same_cell(wanted, got, column.type == "DOUBLE")
            style = _STYLES[mark] if changed or mark != "~" else ""
            cells.append(Text(f"{text} != {shown(wanted, column.type)}" if changed else text, style))
        table.add_row(Text(mark, _STYLES[mark]), "" if line is None else str(line), *cells)
    return table
