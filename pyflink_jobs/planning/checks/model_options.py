"""The options of CREATE MODEL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.planning.companion import companions
from pyflink_jobs.project.units import seconds

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_model import ModelDefinition

__all__ = ["OPTIONS", "check_options"]

OPTIONS = ("provider", "version", "null-inputs", "time-limit")


def check_options(model: ModelDefinition) -> list[Finding]:
    """Return a finding for each option of WITH that is unknown or has no valid value."""
    findings = []
    outputs = tuple(f"output.{column.name}" for column in model.outputs)
    prefixes = tuple(companion.prefix for companion in companions() if companion.prefix)
    for key, option in model.options.items():
        if key not in (*OPTIONS, *outputs) and not key.startswith(prefixes):
            facts = (f"known are: {', '.join((*OPTIONS, *outputs))}",)
            ways = did_you_mean(key, (*OPTIONS, *outputs), "leave it out", fix="write '{}'")
            findings.append(Finding(f"unknown option '{key}'", option.place, facts, ways))
    provider = model.options.get("provider")
    if provider is None or provider.value.lower() != "onnx":
        found = f"'provider' is '{provider.value}'" if provider else f"model `{model.name}` names no provider"
        place = provider.place if provider else model.place
        findings.append(Finding(f"{found}, expected 'onnx'", place, fixes=("write 'provider' = 'onnx'",)))
    nulls = model.options.get("null-inputs")
    if nulls is not None and nulls.value not in ("nan", "refuse"):
        findings.append(Finding(f"'null-inputs' is '{nulls.value}', expected 'nan' or 'refuse'", nulls.place))
    limit = model.options.get("time-limit")
    if limit is not None and seconds(limit.value) is None:
        ways = ("write '500 ms', '10 s' or '1 min'",)
        findings.append(Finding(f"'time-limit' is '{limit.value}', expected a span of time", limit.place, (), ways))
    return findings
