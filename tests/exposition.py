"""Scrape what Prometheus would scrape, and read it."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass

__all__ = ["Sample", "read", "scrape", "total"]

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(?P<label>\w+)="(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass(frozen=True)
class Sample:
    """One line: a metric's name, its labels, its value."""

    name: str
    labels: dict[str, str]
    value: float


def scrape(url: str) -> list[Sample]:
    """Return the samples that an exporter has at `url`; raises OSError where nobody answers."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the address of a cluster of ours
        return read(answer.read().decode())


def read(text: str) -> list[Sample]:
    """Return the samples of a text in Prometheus' format."""
    samples = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            assert found, line
            labels = {m["label"]: _unescaped(m["value"]) for m in _LABEL.finditer(found["labels"] or "")}
            samples.append(Sample(found["name"], labels, float(found["value"])))
    return samples


def total(samples: list[Sample], name: str, **labels: str) -> float | None:
    """Return the sum of a metric over those samples that have some labels; None if there is none."""
    found = [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]
    return sum(found) if found else None


def _unescaped(text: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPED.get(found[0], found[0]), text)
