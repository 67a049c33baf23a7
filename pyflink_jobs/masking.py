"""Text without secrets: values whose names say that they are secret become `***`, wherever they are printed.

A secret is the value of an environment variable or of an option whose name says so (`DB_PASSWORD`, `sasl.jaas.config`,
`s3.secret-key`), and the password inside of another value: `https://user:password@host`, `...;password="..."`.
Whoever reads such a value calls `remember`; from then on `masked` knows it.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MASK", "masked", "masked_options", "masked_output", "names_secret", "remember", "remember_options"]

MASK = "***"

_NAME = re.compile(
    r"pass(?:word|wd|phrase)|secret|token(?!i[sz])|credentials?|jaas|[._-]pwd|basic[._-]?auth|auth[._-]?params|http-headers|"
    r"(?:api|access|account|private|pii|shared)[._-]?key",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"[._-](?:file|path|dir|folder|location|url|uri|type|class|provider|id|name|names|interval|seconds|ms|enabled|"
    r"required|count|length|limit|size|timeout|version|issuer|audience|scope)$",
    re.IGNORECASE,
)
"""How names end that are about a secret, and are none."""

_IN_URL = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^/\s:@'\"]*:)(?P<secret>[^/\s'\"]+)(?=@)", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<before>\b[\w.-]*(?:pass(?:word|wd|phrase)|secret|token)[\w.-]*\s*=\s*)"
    r"(?P<secret>\"[^\"]*\"|[^\s\"'&;,)\\]+)",
    re.IGNORECASE,
)
"""A password in the value of another option: of a JDBC URL, of a login module."""

_OPTION = re.compile(r"'(?P<key>(?:[^']|'')+)'(?P<equals>\s*=\s*)'(?P<value>(?:[^']|'')*)'")
_ANYWHERE = 8  # characters: a shorter value is only masked as a whole word
_SHORTEST = 4
_PLAIN = ("true", "false", "none", "null")

_known: set[str] = set()
_pattern: list[re.Pattern[str]] = []


def names_secret(name: str) -> bool:
    """Return whether a variable or an option of this name has a secret.

    >>> [names_secret(name) for name in ("DB_PASSWORD", "properties.sasl.jaas.config", "TOKEN_FILE", "topic")]
    [True, True, False, False]
    """
    return bool(_NAME.search(name)) and not _ABOUT.search(name)


def remember(value: str) -> None:
    """Let `masked` know a secret, in the forms in which text may have it."""
    if len(value) < _SHORTEST or value.lower() in _PLAIN or value in _known:
        return
    forms = {value, value.replace("'", "''"), " ".join(value.split()), json.dumps(value)[1:-1], escape(value)}
    _known.update(forms | {quote(value, safe=""), quote(value)})
    _pattern.clear()


def remember_options(options: Mapping[str, str]) -> None:
    """Let `masked` know the secrets among variables or options: those whose names say so, and passwords in others."""
    for name, value in options.items():
        if names_secret(name):
            remember(value)
        for pattern in (_IN_URL, _ASSIGNED):
            for found in pattern.finditer(value):
                remember(found["secret"].strip('"'))


def masked(text: str) -> str:
    """Return a text without the secrets that are known, and without passwords in URLs.

    >>> masked("https://me:my-password@example.com/flink")
    'https://me:***@example.com/flink'
    """
    if _known:
        if not _pattern:
            _pattern.append(_compiled())
        text = _pattern[0].sub(MASK, text)
    return _IN_URL.sub(rf"\g<before>{MASK}", text) if "://" in text else text


def masked_options(text: str) -> str:
    """Return an SQL text without the values of options whose names say that they are secret.

    >>> masked_options("WITH ('topic' = 'flights', 'properties.ssl.key.password' = 'it''s me')")
    "WITH ('topic' = 'flights', 'properties.ssl.key.password' = '***')"
    """

    def option(found: re.Match[str]) -> str:
        value = MASK if names_secret(found["key"]) else found["value"]
        return f"'{found['key']}'{found['equals']}'{value}'"

    return masked(_OPTION.sub(option, text))


@contextmanager
def masked_output() -> Iterator[None]:
    """Mask what the block prints, to standard output and to standard error."""
    with redirect_stdout(_Masked(sys.stdout)), redirect_stderr(_Masked(sys.stderr)):
        yield


def _compiled() -> re.Pattern[str]:
    longest = sorted(_known, key=len, reverse=True)
    return re.compile(
        "|".join(re.escape(v) if len(v) >= _ANYWHERE else rf"(?<!\w){re.escape(v)}(?!\w)" for v in longest)
    )


class _Masked:
    """A text file that masks what is written to it; all else is the file's own."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - any text file
        self._file = file

    def write(self, text: str) -> int:
        """Write a text without secrets."""
        self._file.write(masked(text))
        return len(text)

    def writelines(self, lines: Any) -> None:  # noqa: ANN401 - any lines
        """Write lines without secrets."""
        for line in lines:
            self.write(line)

    def __iter__(self) -> Any:  # noqa: ANN401 - what the file yields
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the file's own
        return getattr(self._file, name)
