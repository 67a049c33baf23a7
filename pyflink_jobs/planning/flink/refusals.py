"""What Flink's planner refuses, in sentences of ours, found by Flink's words: the sentences are in refusals.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Refusal", "find_refusal"]

_FILE = Path(__file__).with_suffix(".toml")
_TYPES = [
    (r"RECORDTYPE(?::PEEK_NO_EXPAND)?\((?:[^()]|\([^()]*\))*\)", "ROW"),
    (r"RECORDTYPE(?::PEEK_NO_EXPAND)?\((?:[^()]|\([^()]*\))*\)", "ROW"),  # with one inside
    (r"\bVARCHAR\(2147483647\)|\bCHAR\(\d+\)|\bCHARACTER\b(?! )", "STRING"),
    (r"\bTIMESTAMP_WITH_LOCAL_TIME_ZONE\b", "TIMESTAMP_LTZ"),
    (r" \*(?:ROW|PROC)TIME\*", ""),
    (r"\bINTEGER\b", "INT"),
    (r"<([A-Z_($][^<>\n]*)>", r"\1"),
]
"""How Calcite writes types, and how SQL does."""
_CATALOG = re.compile(r"default_catalog\.default_database\.|`default_catalog`\.`default_database`\.")
_TABLE = re.compile(r"(?:for reading|for writing|of) table '(?P<table>[^']+)'")
_FEW = 6


@dataclass(frozen=True)
class Refusal:
    """What is refused, and the fixes.

    `missing` is what there is none of by this `name`: a "column", a "target" (column of the table that is written),
    "table", "function", "type", or one of the names `known`; "" where that is not the mistake.
    """

    words: str
    fixes: tuple[str, ...] = ()
    missing: str = ""
    name: str = ""
    known: tuple[str, ...] = ()


def find_refusal(text: str) -> Refusal | None:
    """Return the sentence for what Flink says; None if no sentence is known."""
    text = _CATALOG.sub("", text)
    for written, name in _TYPES:
        text = re.sub(written, name, text, flags=re.IGNORECASE if "RECORD" in written else 0)
    for pattern, entry in _entries():
        if found := pattern.search(text):
            groups = _shown(found.groupdict())
            fixes = [fix for fix in entry.get("fixes", ()) if "{forms}" not in fix or groups["forms"]]
            table = _TABLE.search(text)
            return Refusal(
                entry["words"].format_map(groups) + (f" (table `{table['table']}`)" if table else ""),
                tuple(fix.format_map(groups) for fix in fixes),
                entry.get("missing", ""),
                groups["name"],
                tuple(name.strip("'") for name in re.split(r"[\s,]+", groups.get("known", "")) if name),
            )
    return None


@cache
def _entries() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["refusal"]
    return [(re.compile(entry["said"], re.DOTALL), entry) for entry in entries]


def _shown(found: dict[str, str | None]) -> dict[str, str]:
    """Return the groups of a pattern as a sentence has them."""
    groups = {key: value or "" for key, value in found.items()}
    groups["name"] = groups.get("name") or groups.get("sink", "")
    for key in {"query", "stored"} & groups.keys():
        columns = _columns(groups[key])
        more = ", ..." if len(columns) > _FEW else ""
        counted = f"{len(columns)} column{'s' if len(columns) > 1 else ''}"
        groups[key] = f"{counted} ({', '.join(column.replace(': ', ' ') for column in columns[:_FEW])}{more})"
    for key in {"nth_query", "nth_stored"} & groups.keys():
        groups[key] = _columns(groups[key])[int(groups["n"]) - 1].partition(": ")[2]
    if "forms" in groups:
        groups["forms"] = ", or ".join(re.findall(r"'([^']+)'", groups["forms"].replace("$", ""))) or groups["forms"]
    return groups


def _columns(schema: str) -> list[str]:
    """Return the columns of a schema in Flink's words: `a: STRING, b: DECIMAL(10, 2)`."""
    return re.split(r", (?![^(<]*[)>])", schema)
