"""Fill in `${NAME}` and `${NAME:-default}` from the environment, except in comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place
from pyflink_jobs.parsing.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["fill_in"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def fill_in(text: str, file: Path, values: Mapping[str, str]) -> tuple[str, list[Finding]]:
    """Return `text` with its variables filled in, and a finding for each name that has no value."""
    if "${" not in text:
        return text, []
    live = [(token.start, token.end) for token in tokenize(text, Place(file))]
    missing: list[Finding] = []

    def value(match: re.Match[str]) -> str:
        if not any(start <= match.start() < end for start, end in live):
            return match[0]
        name, default = match[1], match[2]
        if name in values:
            return values[name]
        if default is None:
            line = text.count("\n", 0, match.start()) + 1
            missing.append(
                Finding(
                    f"environment variable {name} is not set",
                    Place(file, line),
                    fixes=(f"set it: export {name}=...", f"give it a default in the file: ${{{name}:-...}}"),
                ),
            )
        return default or ""

    return _VARIABLE.sub(value, text), missing
