"""Flink's exceptions as one sentence, or else in a paragraph, and the position in a statement that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.causes import find_causes, summarize
from pyflink_jobs.planning.flink.refusals import find_refusal
from pyflink_jobs.planning.flink.shortened import shortened

if TYPE_CHECKING:
    from pyflink_jobs.planning.flink.refusals import Refusal

__all__ = ["FlinkMessage", "read_exception"]

_FROM_TO = re.compile(
    r"(?:SQL validation failed\. )?(?:From|At) line (\d+), column (\d+)(?: to line \d+, column \d+)?:?\s*"
)
_AT = re.compile(r"\s*at line (\d+), column (\d+)\.?")
_ENCOUNTERED = re.compile(r'Encountered "([^"\n]+?)"')
_EXPECTING = re.compile(r"\s*Was expecting(?: one of)?:\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class FlinkMessage:
    """What Flink said: `text` in one paragraph, the 1-based position in the statement, the whole stack trace.

    `refusal` is the sentence that `text` is, if Flink's words are known.
    """

    text: str
    line: int | None
    column: int | None
    trace: str
    refusal: Refusal | None = None

    @property
    def fixes(self) -> tuple[str, ...]:
        """The fixes that need no look at the catalog."""
        return self.refusal.fixes if self.refusal else ()


def read_exception(error: BaseException) -> FlinkMessage:
    """Return the essence of an exception that PyFlink or Py4J raised."""
    trace = str(error)
    texts = [cause.text for cause in find_causes(trace)] or [trace]
    position = next((p for text in texts if (p := _FROM_TO.search(text) or _AT.search(text))), None)
    if position:
        text = next(text for text in reversed(texts) if _FROM_TO.search(text) or _AT.search(text))
    else:
        text = summarize(trace)
    expected = _EXPECTING.search(text)
    text = _EXPECTING.sub("", text)
    text = _AT.sub("", _FROM_TO.sub("", text)).removeprefix("SQL parse failed.").strip()
    if expected:
        words = [word.strip().strip('"') for word in re.findall(r'"[^"]+"|<[A-Z_]+>', expected[1])]
        if words:
            text = f"{text.rstrip('.')}, expected {', '.join(words[:6])}{' ...' if len(words) > 6 else ''}"  # noqa: PLR2004 - a line's worth
    text = _ENCOUNTERED.sub(r"`\1` is not expected here", text)
    line, column = (int(position[1]), int(position[2])) if position and position[1] != "0" else (None, None)
    refusal = find_refusal("\n".join(texts))
    return FlinkMessage(refusal.words if refusal else shortened(text), line, column, trace, refusal)
