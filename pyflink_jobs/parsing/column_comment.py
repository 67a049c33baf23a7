"""The parts of a column's COMMENT: descriptions, rules, and the handling of personal data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceColumn

__all__ = ["is_personal", "parts"]


def parts(comment: str) -> list[str]:
    """Return the parts between a comment's semicolons; a pattern extends to the end of the comment."""
    found = re.search(r"(?:^|;)\s*pattern\s", comment, re.IGNORECASE)
    before, pattern = (comment[: found.start()], comment[found.start() :]) if found else (comment, "")
    return [part.strip() for part in (*before.split(";"), pattern.lstrip(";")) if part.strip()]


def is_personal(column: SourceColumn) -> bool:
    """Return whether a column's COMMENT has a part `pii ...`."""
    return any(part.lower().split()[0] == "pii" for part in parts(column.comment))
