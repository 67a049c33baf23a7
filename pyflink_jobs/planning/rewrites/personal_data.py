"""Personal data: what happens to a column whose COMMENT says `pii hash`, `pii mask` or `pii drop`.

    email STRING COMMENT 'of the customer; required; pii hash'

    pii hash    its keyed hash (HMAC-SHA-256 in hexadecimal digits): equal values stay equal, nobody can guess them
    pii mask    its last two characters behind stars; of four or fewer none
    pii drop    no statement can read the column

Rules hold for the value as it came. The value itself reaches no statement, and is in no record of quarantine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.parsing.column_comment import parts
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceColumn

__all__ = ["HASH", "KEY", "pii_sql", "read_pii"]

KEY = "MILLSTREAM_PII_KEY"
"""The environment variable that has the key of `pii hash`."""

HASH = "pii_hash"
"""The function of `pii hash`; its key is in no SQL text, so in no plan."""

_WAYS = ("hash", "mask", "drop")
_SHORTEST_KEY = 16  # characters


def read_pii(column: SourceColumn) -> tuple[str, list[Finding]]:
    """Return "hash", "mask", "drop", or "" for a column without personal data; and findings."""
    found = [part.split() for part in parts(column.comment) if part.lower().split()[0] == "pii"]
    if not found:
        return "", []
    words = [word.lower() for word in found[0][1:]]
    if len(found) > 1 or len(words) != 1 or words[0] not in _WAYS:
        first = words[0] if words else ""
        ways = did_you_mean(first, _WAYS, "write `pii hash`, `pii mask` or `pii drop`", fix="write `pii {}`")
        message = f"column `{column.name}`: `{' '.join(found[0])}`: one of {', '.join(_WAYS)} is expected, once"
        return "", [Finding(message, column.place, fixes=ways)]
    if words[0] != "drop" and not column.is_text:
        message = f"column `{column.name}` is {column.type or 'computed'}, `pii {words[0]}` is for text"
        return "", [Finding(message, column.place, fixes=("write `pii drop`", "declare the column STRING"))]
    if words[0] == "hash" and len(os.environ.get(KEY, "")) < _SHORTEST_KEY:
        message = f"`pii hash` of column `{column.name}` needs a key of at least {_SHORTEST_KEY} characters"
        ways = (f"set {KEY} where you start the job; the same for ever, or hashes will differ",)
        return "", [Finding(message, column.place, fixes=ways)]
    return words[0], []


def pii_sql(name: str, way: str) -> str:
    """Return SQL for what a statement sees of a column."""
    column = quoted(name)
    if way == "hash":
        return f"{HASH}({column}) AS {column}"
    if way == "mask":
        return f"'***' || CASE WHEN CHAR_LENGTH({column}) > 4 THEN RIGHT({column}, 2) ELSE '' END AS {column}"
    return column
