"""The options of Flink that are tried, and their current values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ProjectError, did_you_mean
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.units import seconds
from pyflink_jobs.running.environment import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.project.settings import Project

__all__ = [
    "ARROW",
    "BUFFER",
    "BUNDLE",
    "METRICS",
    "PARALLELISM",
    "REUSE",
    "TIME",
    "TRIED",
    "Option",
    "current",
    "known",
]

ARROW = "python.fn-execution.arrow.batch.size"
BUNDLE = "python.fn-execution.bundle.size"
TIME = "python.fn-execution.bundle.time"
REUSE = "pipeline.object-reuse"
METRICS = "python.metric.enabled"
BUFFER = "execution.buffer-timeout.interval"
PARALLELISM = "parallelism.default"


@dataclass(frozen=True)
class Option:
    """An option of Flink: values to try, in ascending order, and Flink's default.

    `python` is True for an option that matters only to jobs that call a model.
    """

    key: str
    values: tuple[str, ...]
    default: str
    what: str
    python: bool = True

    def candidates(self, now: str) -> list[str]:
        """Return the values to try, ascending, including the job's current one.

        >>> TRIED[ARROW].candidates("3000")
        ['1000', '3000', '5000', '20000']
        >>> TRIED[BUFFER].candidates("100ms")
        ['5 ms', '100ms', '1 s']
        """
        others = [value for value in self.values if _amount(value) != _amount(now)]
        return sorted([*others, now], key=_amount)


def _amount(value: str) -> float:
    """Return a value as a number, for the order of values: a duration in seconds; true is more than false."""
    words = {"false": 0.0, "true": 1.0}
    return words[value] if value in words else seconds(value) or float(value.split(maxsplit=1)[0])


TRIED = {
    option.key: option
    for option in (
        Option(PARALLELISM, (), "1", "parallel subtasks of each operator", python=False),
        Option(BUNDLE, ("5000", "20000", "100000"), "100000", "largest number of rows sent to a worker at once"),
        Option(ARROW, ("1000", "5000", "20000"), "10000", "rows of an Arrow batch; a bundle has one or more"),
        Option(TIME, ("100", "1000"), "1000", "milliseconds after which an incomplete bundle is sent"),
        Option(REUSE, ("false", "true"), "false", "with true, chained operators do not copy rows", python=False),
        Option(METRICS, ("false", "true"), "true", "with false, the models report no metrics"),
        Option(BUFFER, ("5 ms", "100 ms", "1 s"), "100 ms", "longest wait of a row between two tasks", python=False),
    )
}
"""All options that are tried, by key, in this order: parallelism first, because all others depend on it."""


def current(project: Project) -> dict[str, str]:
    """Return the current value of each option for a job of the project."""
    configured = {**DEFAULTS, PARALLELISM: str(project.settings.parallelism), **read_configuration(project)}
    return {key: configured.get(key, option.default) for key, option in TRIED.items()}


def known(keys: Iterable[str]) -> None:
    """Raise ProjectError for a key that is not in TRIED."""
    for key in keys:
        if key not in TRIED:
            fixes = did_you_mean(key, TRIED, fix="did you mean {}?")
            raise ProjectError(f"option {key} is not tried", facts=(f"tried are: {', '.join(TRIED)}",), fixes=fixes)
