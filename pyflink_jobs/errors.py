"""Errors that users read, with file, line and fixes.

MillstreamError            every error for users; exit code 1
├── ProjectError           the project folder or its settings
├── SqlError               a mistake in a `.sql` file, with file, line and column
├── ModelError             a model file or its card
├── ContractError          SQL and model do not fit; carries all findings
├── LocalError             Java, jars, the local broker
├── KafkaError             a broker or topic that a job or command needs
├── ClusterError           a Flink cluster that is not available or refuses a request
├── JobError               a Flink job that failed or could not be planned
└── FeatureTestError       a given/expect file that cannot be read
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pyflink_jobs.masking import masked_options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "ClusterError",
    "ContractError",
    "FeatureTestError",
    "Finding",
    "JobError",
    "KafkaError",
    "LocalError",
    "MillstreamError",
    "ModelError",
    "Place",
    "ProjectError",
    "SqlError",
    "did_you_mean",
]


@dataclass(frozen=True, order=True)
class Place:
    """A file, and where known the 1-based line and column in it."""

    file: Path
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [str(self.file), *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its place, the message, the facts that show it, and the fixes.

    It prints like this:

        sql/models/late_arrival.sql:4: model input `carrier` is STRING, but the ONNX file expects float32
          models/late_arrival/2/model.onnx: input "X", shape [batch, 11], float32
          either cast or encode the column in sql/features/flight_features.sql,
          or export the model with a string input (skl2onnx: StringTensorType)

    A `warning` is about what works, but not with all data.
    """

    message: str
    place: Place | None = None
    facts: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return masked_options("\n  ".join([head, *self.facts, *_either_or(self.fixes)]))

    def as_json(self) -> dict[str, object]:
        """Return the finding as plain values, for `--json`; without secrets, as its text is."""
        place = self.place
        return {
            "file": str(place.file) if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "message": masked_options(self.message),
            "facts": [*map(masked_options, self.facts)],
            "fixes": [*map(masked_options, self.fixes)],
        }


def did_you_mean(name: str, known: Iterable[str], *otherwise: str, fix: str = "write `{}`") -> tuple[str, ...]:
    """Return the fixes for an unknown name: `fix` with the most similar known name, else `otherwise`.

    >>> did_you_mean("carier", ["carrier", "origin"], "leave it out")
    ('write `carrier`',)
    >>> did_you_mean("tailnum", ["carrier", "origin"], "leave it out")
    ('leave it out',)
    """
    near = get_close_matches(name, list(known), n=1)
    return (fix.format(near[0]),) if near else otherwise


def _either_or(fixes: tuple[str, ...]) -> list[str]:
    if len(fixes) < 2:  # noqa: PLR2004 - a single fix needs no "either"
        return list(fixes)
    first, *middle, last = fixes
    return [f"either {first},", *(f"or {fix}," for fix in middle), f"or {last}"]


class MillstreamError(Exception):
    """An error for users: one or more findings, each a short paragraph.

    `detail` is shown with `--verbose` only, such as a Java stack trace.
    """

    def __init__(
        self,
        message: str | Finding | list[Finding],
        *,
        place: Place | None = None,
        facts: tuple[str, ...] = (),
        fixes: tuple[str, ...] = (),
        detail: str = "",
    ) -> None:
        if isinstance(message, str):
            message = Finding(message, place, facts, fixes)
        self.findings = message if isinstance(message, list) else [message]
        self.detail = masked_options(detail)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class ProjectError(MillstreamError):
    """The project folder or its settings are not valid."""


class SqlError(MillstreamError):
    """A `.sql` file cannot be read, parsed or planned."""


class ModelError(MillstreamError):
    """A model file or its card is missing, damaged or of a kind that cannot be scored."""


class ContractError(MillstreamError):
    """SQL and model do not fit together."""


class LocalError(MillstreamError):
    """Java, a jar or the local broker is not available."""


class KafkaError(MillstreamError):
    """A Kafka broker or topic is not available."""


class ClusterError(MillstreamError):
    """A Flink cluster is not available or refuses a request."""


class JobError(MillstreamError):
    """A Flink job could not be planned, or failed while it ran."""


class FeatureTestError(MillstreamError):
    """A given/expect file is not valid."""
