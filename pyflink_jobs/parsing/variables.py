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

__all__ = ["fill_in", "fill_in_text"]

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
        place = Place(file, text.count("\n", 0, match.start()) + 1)
        if names_secret(match[1]) and not _is_option(tokens, at):
            findings.append(_exposed(match[1], place))
        found = _value(match, place, values, findings)
        return found.replace("'", "''") if tokens[at].kind == "string" and match[1] in values else found

    return _VARIABLE.sub(value, text), findings


def fill_in_text(text: str, place: Place, values: Mapping[str, str], findings: list[Finding]) -> str:
    """Return a text that is no SQL with its variables filled in; add a finding for each name without a value."""
    return _VARIABLE.sub(lambda match: _value(match, place, values, findings), text)


def _value(match: re.Match[str], place: Place, values: Mapping[str, str], findings: list[Finding]) -> str:
    name, default = match[1], match[2]
    if name in values:
        return values[name]
    if default is None:
        ways = (f"set it: export {name}=...", f"give it a default in the file: ${{{name}:-...}}")
        findings.append(Finding(f"environment variable {name} is not set", place, fixes=ways))
    return default or ""


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
