"""Flink's exceptions as one sentence: the deepest cause that says something, and the position it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyflink_jobs.planning.flink.shortened import shortened

__all__ = ["FlinkMessage", "read_exception"]

_CAUSE = re.compile(
    r"^(?:Caused by: |: )?(?P<cls>[\w.$]+(?:Exception|Error|Throwable)): (?P<text>.*?)(?=\n\tat |\n\s+\.\.\. |\Z)",
    re.MULTILINE | re.DOTALL,
)
_FROM_TO = re.compile(
    r"(?:SQL validation failed\. )?(?:From|At) line (\d+), column (\d+)(?: to line \d+, column \d+)?:?\s*"
)
_AT = re.compile(r"\s*at line (\d+), column (\d+)\.?")
_EXPECTING = re.compile(r"\s*Was expecting(?: one of)?:\s*(.*)", re.DOTALL)
# Causes that only wrap another, or say nothing that a person could use.
_EMPTY = ("java.lang.reflect.", "java.util.concurrent.", "java.lang.NullPointerException")


@dataclass(frozen=True)
class FlinkMessage:
    """What Flink said: `text` in one paragraph, the 1-based position in the statement, the whole stack trace."""

    text: str
    line: int | None
    column: int | None
    trace: str


def read_exception(error: BaseException) -> FlinkMessage:
    """Return the essence of an exception that PyFlink or Py4J raised."""
    trace = str(error)
    causes = [match for match in _CAUSE.finditer(trace) if not match["cls"].startswith(_EMPTY)]
    texts = [match["text"].strip() for match in causes] or [trace.partition("\n\tat ")[0].strip()]
    position = next((p for text in texts if (p := _FROM_TO.search(text) or _AT.search(text))), None)
    if position:
        text = next(text for text in reversed(texts) if _FROM_TO.search(text) or _AT.search(text))
    else:
        # The deepest cause alone ("Unexpected character") often lacks what the one above says ("Failed to read ...").
        sentences = [text for text in dict.fromkeys(texts) if "Exception" not in text] or texts
        text = ": ".join(text.rstrip(".") for text in sentences[-2:])
    expected = _EXPECTING.search(text)
    text = _EXPECTING.sub("", text)
    text = _AT.sub("", _FROM_TO.sub("", text)).removeprefix("SQL parse failed.").strip()
    if expected:
        words = [word.strip().strip('"') for word in re.findall(r'"[^"]+"|<[A-Z_]+>', expected[1])]
        if words:
            text = f"{text.rstrip('.')}, expected {', '.join(words[:6])}{' ...' if len(words) > 6 else ''}"  # noqa: PLR2004 - a line's worth
    line, column = (int(position[1]), int(position[2])) if position else (None, None)
    return FlinkMessage(shortened(text), line, column, trace)
