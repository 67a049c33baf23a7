"""Fill in `${NAME}` and `${NAME:-default}` from the environment, except in comments.

A name that says secret fills in options alone: Flink shows what queries contain, in plans, logs and its web page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place
from pyflink_jobs.masking import names_secret, remember_options
from pyflink_jobs.parsing.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyflink_jobs.parsing.tokens import Token

__all__ = ["fill_in"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def fill_in(text: str, file: Path, values: Mapping[str, str]) -> tuple[str, list[Finding]]:
    """Return `text` with its variables filled in, and a finding for each name without a value or in a wrong place."""
    if "${" not in text:
        return text, []
    remember_options(values)
    tokens = tokenize(text, Place(file))
    findings: list[Finding] = []

    def value(match: re.Match[str]) -> str:
        at = next((i for i, token in enumerate(tokens) if token.start <= match.start() < token.end), None)
        if at is None:
            return match[0]
        name, default = match[1], match[2]
        line = text.count("\n", 0, match.start()) + 1
        if names_secret(name) and not _is_option(tokens, at):
            findings.append(_exposed(name, Place(file, line)))
        if name in values:
            return values[name]
        if default is None:
            findings.append(
                Finding(
                    f"environment variable {name} is not set",
                    Place(file, line),
                    fixes=(f"set it: export {name}=...", f"give it a default in the file: ${{{name}:-...}}"),
                ),
            )
        return default or ""

    return _VARIABLE.sub(value, text), findings


def _is_option(tokens: list[Token], at: int) -> bool:
    """Return whether a token is the value of an option: 'key' = 'value'."""
    return at > 1 and tokens[at - 1].says("=") and tokens[at].kind == tokens[at - 2].kind == "string"


def _exposed(name: str, place: Place) -> Finding:
    return Finding(
        f"{name} is a secret by its name, and is not in an option: Flink would show its value",
        place,
        facts=("plans, logs and the web page of Flink have what a query contains",),
        fixes=("use it in an option: WITH ('...' = '${" + name + "}')", "give what is no secret another name"),
    )
