"""Write a Flink configuration for flink-conf/, with a reason for each value."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.tuning.options import TRIED
from udfs.scoring.call_size import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyflink_jobs.tuning.rows_per_call import InnerBatch
    from pyflink_jobs.tuning.search import Step

__all__ = ["Entry", "entry_of_model", "entry_of_step", "fragment"]

_WIDTH = 120  # characters of a line
_PLAIN = re.compile(r"0|[1-9]\d*( ?[a-z]+)?|[A-Za-z]([\w. -]*\w)?")
_WORDS = ("null", "Null", "NULL", "yes", "no", "on", "off")  # some readers of YAML do not read these as text


@dataclass(frozen=True)
class Entry:
    """An option, its value, and paragraphs with the reasons; a `value` of None writes the comment alone."""

    key: str
    value: str | None
    reasons: tuple[str, ...]


def entry_of_step(step: Step) -> Entry:
    """Return the entry for an option whose candidates were measured."""
    measured = "; ".join(
        f"{name}: {', '.join(f'{value:,.0f}' for value in values)}" for name, values in step.measured.items()
    )
    choice = step.choice
    why = {
        "best": f"{choice.best} is the best.",
        "default": f"{choice.best} is the best, {choice.chosen} as good within the noise of "
        f"{choice.margin:.0%}: the job's current value is kept.",
        "smallest": f"{choice.best} is the best, {choice.chosen} as good within the noise of "
        f"{choice.margin:.0%}: the smallest of those that are as good.",
    }[choice.why]
    if choice.why == "best" and choice.chosen == step.before:
        why += " It is the job's current value."
    what = TRIED[step.key].what
    return Entry(step.key, choice.chosen, (f"{what[0].upper()}{what[1:]}.", f"{step.unit}: {measured}. {why}"))


def entry_of_model(inner: InnerBatch, key: str) -> Entry:
    """Return the entry for the rows of a model's call; a comment alone if the default is kept."""
    if inner.choice is None:
        why = "has no choice of rows per call" if inner.rows else "got no row from the sample"
        return Entry(key, None, (f"Model {inner.model} {why}.",))
    speeds = "; ".join(f"{size}: {_median(values) / 1000:,.0f}" for size, values in inner.speeds.items())
    choice = inner.choice
    measured = (
        f"Model {inner.model}, rows of a call of ONNX Runtime: thousand rows per CPU second of one thread, medians on "
        f"{inner.rows:,} rows of the sample: {speeds}."
    )
    also = "" if choice.best == choice.chosen else f" {choice.best} is the best, as good within {choice.margin:.0%}."
    if choice.chosen == str(ROWS):
        return Entry(key, None, (f"{measured} {ROWS}, the default, is kept.{also}",))
    return Entry(key, choice.chosen, (f"{measured} {choice.chosen} is chosen.{also} Scores are the same with each.",))


def fragment(head: Sequence[str], entries: Sequence[Entry], carried: Mapping[str, str], origin: str) -> str:
    """Return the text of the file: paragraphs at its top, the entries, and the options carried over from `origin`."""
    blocks = ["\n#\n".join(_comment(text) for text in head)]
    for entry in entries:
        lines = [_comment(reason) for reason in entry.reasons]
        if entry.value is not None:
            lines.append(f"{entry.key}: {_scalar(entry.value)}")
        blocks.append("\n".join(lines))
    if carried:
        blocks.append(
            "\n".join([_comment(f"As in {origin}; not measured."), *(f"{k}: {_scalar(v)}" for k, v in carried.items())])
        )
    return "\n\n".join(blocks) + "\n"


def _comment(text: str) -> str:
    return "\n".join(textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False))


def _scalar(value: str) -> str:
    """Return a value as YAML, with quotes if it would be read back as another value."""
    return value if _PLAIN.fullmatch(value) and value not in _WORDS else "'" + value.replace("'", "''") + "'"


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
