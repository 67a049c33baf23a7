"""Read SQL files: fill in variables, and split them into statements that know their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place, SqlError
from pyflink_jobs.masking import remember_options
from pyflink_jobs.parsing.option import read_options
from pyflink_jobs.parsing.tokens import Token, literal, tokenize
from pyflink_jobs.parsing.variables import fill_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Statement", "read_sql", "split"]

FOLDERS = ("sources", "features", "models", "sinks", "jobs")
_DEFINES = ("TABLE", "VIEW", "MODEL", "FUNCTION")


@dataclass(frozen=True)
class Statement:
    """One SQL statement: its text, without the semicolon, and the file and line it starts at.

    `before` is the text of the file up to the statement, so that offsets turn into lines and columns.
    """

    file: Path
    before: str
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """The statement's tokens; offsets count from its start."""
        return tokenize(self.text, Place(self.file))

    @cached_property
    def kind(self) -> str:
        """What the statement does: "CREATE TABLE", "CREATE VIEW", "CREATE MODEL", "INSERT INTO", ..."""
        words = [t.text.upper() for t in self.tokens[:6]]
        if words[:1] == ["CREATE"]:
            return next((f"CREATE {word}" for word in words if word in _DEFINES), "CREATE")
        return " ".join(words[:2]) if words[:1] == ["INSERT"] else words[0]

    @cached_property
    def name(self) -> str | None:
        """The last part of the name that a CREATE defines or an INSERT writes to."""
        words = iter(self.tokens)
        opening = ("INTO",) if self.kind.startswith("INSERT") else _DEFINES
        if not any(token.says(*opening) for token in words):
            return None
        name = None
        for token in words:
            if token.says("IF", "NOT", "EXISTS", "."):
                continue
            if name is not None and not self.text[: token.start].rstrip().endswith("."):
                break
            name = token.text
        return name

    def place(self, offset: int = 0) -> Place:
        """Return file, line and column of an offset into the statement."""
        upto = self.before + self.text[:offset]
        return Place(self.file, upto.count("\n") + 1, len(upto) - upto.rfind("\n"))

    def place_at(self, line: int, column: int) -> Place:
        """Return the place in the file of a 1-based line and column of the statement, as Flink counts them."""
        _, _, indent = self.before.rpartition("\n")
        return Place(self.file, self.before.count("\n") + line, column + (len(indent) if line == 1 else 0))

    def with_options(self, more: Mapping[str, str]) -> Statement:
        """Return the statement with more options behind its last one, on the same line."""
        options = [*read_options(self).values()]
        if not options or not more:
            return self
        at = options[-1].literal.end
        text = "".join(f", {literal(key)} = {literal(value)}" for key, value in more.items())
        return replace(self, text=f"{self.text[:at]}{text}{self.text[at:]}")

    def mentions(self, names: set[str]) -> set[str]:
        """Return the `names` that the statement has as identifiers, except as columns: `t.name`, `AS name`."""
        return {
            token.text
            for before, token in pairwise(self.tokens)
            if token.is_identifier and not before.says("AS", ".") and token.text in names
        }


def split(text: str, file: Path) -> list[Statement]:
    """Split a file's text at the semicolons between statements."""
    statements, start = [], None
    end = 0
    for token in tokenize(text, Place(file)):
        if token.says(";"):
            if start is not None:
                statements.append(Statement(file, text[:start], text[start:end]))
            start = None
            continue
        start = token.start if start is None else start
        end = token.end
    if start is not None:
        statements.append(Statement(file, text[:start], text[start:end]))
    return statements


def read_sql(root: Path, values: Mapping[str, str]) -> dict[str, list[Statement]]:
    """Read the `.sql` files of the project at `root`: folder ("sources", "jobs", ...) to statements, by file name.

    `values` fills in `${NAME}`. Raises SqlError with every missing name and every unreadable file at once.
    """
    findings: list[Finding] = []
    statements: dict[str, list[Statement]] = {folder: [] for folder in FOLDERS}
    for folder in FOLDERS:
        for path in sorted((root / "sql" / folder).glob("*.sql")):
            shown = path.relative_to(root)
            try:
                text, missing = fill_in(path.read_text(encoding="utf-8"), shown, values)
                findings += missing
                statements[folder] += split(text, shown)
            except UnicodeDecodeError as error:
                findings.append(Finding(f"not UTF-8 text: {error.reason} at byte {error.start}", Place(shown)))
            except SqlError as error:
                findings += error.findings
    for statement in (s for folder in FOLDERS for s in statements[folder]):
        remember_options({option.key.text: option.value for option in read_options(statement).values()})
    findings += [finding for folder in FOLDERS for s in statements[folder] for finding in _misplaced(folder, s)]
    if findings:
        raise SqlError(findings)
    return statements


def _misplaced(folder: str, statement: Statement) -> list[Finding]:
    if folder == "jobs":
        allowed = statement.kind in ("INSERT INTO", "CREATE VIEW")
        wanted = "sql/jobs/ is for INSERT INTO statements, and for views that only one job needs"
    else:
        allowed = statement.kind.removeprefix("CREATE ") in _DEFINES
        wanted = f"sql/{folder}/ is for CREATE statements"
    if allowed:
        return []
    fixes = {"SET": "put settings into the project's Flink configuration (flink-conf/)"}
    return [
        Finding(
            f"{statement.kind} is not allowed here",
            statement.place(),
            facts=(wanted,),
            fixes=(fixes[statement.kind],) if statement.kind in fixes else (),
        ),
    ]
