"""The ML_PREDICT calls of a statement, compared with the models that SQL declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, MillstreamError, did_you_mean
from pyflink_jobs.parsing.ml_predict import find_calls
from pyflink_jobs.planning.checks.input_columns import check_known_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.checks.origin import Origins
    from pyflink_jobs.planning.declarations import Model

__all__ = ["check_calls"]


def check_calls(statement: Statement, models: Mapping[str, Model], broken: set[str], origins: Origins) -> list[Finding]:
    """Return findings for calls that cannot be read, name no model, or whose columns are not those of INPUT."""
    try:
        calls = find_calls(statement)
    except MillstreamError as error:
        return error.findings
    findings = []
    for call in calls:
        if call.model.text in models:
            model = models[call.model.text]
            findings += _check_descriptor(call, model.definition) or check_known_columns(call, model, origins)
        elif call.model.text not in broken:
            findings.append(_unknown_model(call, [*models, *broken]))
        if call.query:
            findings += check_calls(call.query, models, broken, origins)
    return findings


def _unknown_model(call: Call, known: list[str]) -> Finding:
    return Finding(
        f"there is no model `{call.model.text}`",
        call.model.place,
        (f"sql/models/ declares: {', '.join(sorted(known)) or 'nothing'}",),
        did_you_mean(call.model.text, known, "declare it with CREATE MODEL in sql/models/"),
    )


def _check_descriptor(call: Call, definition: ModelDefinition) -> list[Finding]:
    """Compare a call's columns with INPUT: Flink maps them by position."""
    names = [column.text for column in call.columns]
    inputs = [column.name for column in definition.inputs]
    facts = (f"{_at(definition.inputs[0].place)}: INPUT ({', '.join(inputs)})",)
    if len(names) != len(inputs):
        message = f"DESCRIPTOR names {len(names)} columns, model `{definition.name}` expects {len(inputs)}"
        return [Finding(message, call.columns[0].place, facts, ("name one column for each input, in INPUT's order",))]
    for column, wanted in zip(call.columns, inputs, strict=True):
        if column.text != wanted and column.text in inputs:
            message = f"column `{column.text}` is where model `{definition.name}` expects `{wanted}`"
            way = "put the columns of DESCRIPTOR in INPUT's order: they count by position"
            return [Finding(message, column.place, facts, (way,))]
    return []


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}"
