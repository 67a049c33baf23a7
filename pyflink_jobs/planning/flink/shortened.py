"""Flink's and Calcite's texts in a few lines: without the plans in them, and no longer than a paragraph."""

from __future__ import annotations

import re

__all__ = ["shortened"]

_LONGEST = 400  # characters
_PLAN = re.compile(
    r"^[\s:+|-]*(?:rel#|\d+:|(?:Flink|Stream|Batch)?(?:Physical|Logical)\w*[(.])|\b(?:Logical|Stream)\w+\("
)
"""A line of a plan: LogicalProject(...), rel#12:..., +- FlinkLogicalCalc(...)."""

_NO_PLAN = "Flink has no plan for it: the query needs what Flink does not have in a stream"
_KNOWN = {
    "unsupported SQL feature": _NO_PLAN,
    "There are not enough rules": _NO_PLAN,
    "Conversion to relational algebra failed to preserve datatypes": (
        "Flink changes the type of a column while it plans, as it does with a computed INTERVAL: "
        "compute a number, such as TIMESTAMPDIFF(SECOND, begun, ended)"
    ),
    "StackOverflowError": "an expression is nested too deeply for Flink's planner: divide it into several views",
}
"""What a text says, by a part of it, where Flink's own words say little."""

_NOISE = re.compile(
    r"default_catalog\.default_database\.|`default_catalog`\.`default_database`\.|"
    r"Table options are:(?:\s*'[^']*'='[^']*')*\s*:?\s*|\s*Supported options:.*|\s*The physical plan is:.*",
    re.DOTALL,
)
"""Parts that say nothing of the mistake."""


def shortened(text: str) -> str:
    """Return a text in one paragraph; what is left out is in the stack trace that `--verbose` shows."""
    for part, words in _KNOWN.items():
        if part in text:
            return words
    text = _NOISE.sub("", text)
    kept = [line for line in text.splitlines() if not _PLAN.search(line)]
    whole = " ".join(" ".join(kept).split())
    if len(whole) <= _LONGEST:
        return whole
    return f"{whole[:_LONGEST].rsplit(' ', 1)[0]} ... (all of it: --verbose)"
