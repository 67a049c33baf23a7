"""The SQL that replaces an ML_PREDICT call: a view that scores, and the view that a query reads.

The first calls the model's function once a row and keeps its ROW as it is; the second takes the output columns
out of it. Whatever else a row carries about its scoring stays in the first, out of the analyst's sight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.system_tables import LATE, SCORE
from udfs.scoring.arguments import SQL_TYPES, argument_sql, wide_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.planning.declarations import Model

__all__ = ["input_arguments", "late_sql", "predictions_sql", "riding_sql", "scoring_sql"]


def late_sql(source: str, times: Iterable[str]) -> str:
    """Return the query that says of each row of `source` why it is late, NULL if it is not; `times` are event times.

    A join or a window lets go of a row before it passes on the watermark that brought the row out. A row that is
    behind the watermark here came when its join had gone on without it: its source was idle, and others were not.
    """
    late = " ".join(
        f"WHEN {time} <= CURRENT_WATERMARK({time}) THEN {literal(f'{name} is ')} || CAST({time} AS STRING) "
        f"|| ', the watermark of the job ' || CAST(CURRENT_WATERMARK({time}) AS STRING)"
        for name, time in ((name, quoted(name)) for name in times)
    )
    return f"SELECT *, CASE {late} END AS {quoted(LATE)}\nFROM {source}"


def input_arguments(call: Call, model: Model, schema: Mapping[str, str], *, wide: bool) -> list[str]:
    """Return the function's arguments for the model's inputs; `schema` has the types of what the call reads.

    They have to be `wide` for the JVM's Python: `udfs.flink.row_scoring` says why.
    """
    return [
        argument
        for column, given in zip(call.columns, model.spec.inputs, strict=True)
        for argument in argument_sql(quoted(column.text), schema[column.text], given.dtype, wide=wide)
    ]


def scoring_sql(
    source: str, kept: list[str], inputs: list[str], model: Model, function: str, *, riders_apart: bool = False
) -> str:
    """Return the query that scores the rows of `source`, and keeps some of its columns.

    `source` is a table's name in backticks or a query in parentheses; `inputs` are the function's first arguments.
    With `riders_apart`, the function has no others, and all arguments are columns too, for `riding_sql`.
    """
    kept = [quoted(name) for name in kept]
    arguments = [*inputs, *_of_riders(model)]
    kept += [name for name in map(quoted, _kept(model)) if name not in kept]
    columns = [f"{value} AS {_given(i)}" for i, value in enumerate(arguments)] if riders_apart else []
    call = _call(function, inputs if riders_apart else arguments)
    return "SELECT\n  " + ",\n  ".join([*_line(kept), *columns, call]) + f"\nFROM {source}"


def riding_sql(scored: str, inputs: list[str], model: Model, function: str) -> str:
    """Return the query over the view `scored` that calls the function of the model's riders."""
    arguments = [_given(i) for i in range(len(inputs) + len(_of_riders(model)))]
    for output in model.spec.outputs:
        value = f"{quoted(SCORE)}.{quoted(output.name)}"
        arguments += argument_sql(value, wide_type(SQL_TYPES[output.dtype]), output.dtype)
    kept = _line(map(quoted, _kept(model)))
    return "SELECT\n  " + ",\n  ".join([*kept, _call(function, arguments)]) + f"\nFROM {quoted(scored)}"


def _kept(model: Model) -> list[str]:
    return [*dict.fromkeys(name for addition in model.additions.values() for name in addition.kept)]


def _of_riders(model: Model) -> list[str]:
    return [argument for addition in model.additions.values() for argument in addition.arguments]


def _given(number: int) -> str:
    return quoted(f"_given_{number}")


def _call(function: str, arguments: list[str]) -> str:
    listed = ",\n    ".join(arguments)
    return f"{quoted(function)}(\n    {listed}\n  ) AS {quoted(SCORE)}"


def predictions_sql(scored: str, columns: list[str], model: Model, apart: str = "", *, wide: bool = False) -> str:
    """Return the query for what an analyst sees: the source's columns, the model's outputs, `model_version`.

    Outputs that are `wide` have to be cast: `udfs.flink.row_scoring` says why.

    `apart` is "", or a column of numbers. Then outputs are elements of arrays at the index of another table, which is
    always 1. So no planner moves a condition on them below the join, to the call.
    """
    outputs = {o.name: f"{quoted(SCORE)}.{quoted(o.name)}" for o in model.definition.outputs}
    if wide:
        types = {output.name: SQL_TYPES[output.dtype] for output in model.spec.outputs}
        outputs = {
            name: value if wide_type(types[name]) == types[name] else f"CAST({value} AS {types[name]})"
            for name, value in outputs.items()
        }
    rows = quoted(scored)
    if apart:
        outputs = {name: f"ARRAY[{value}][`_one`]" for name, value in outputs.items()}
        rows += f" CROSS JOIN UNNEST(ARRAY[{quoted(apart)} - {quoted(apart)} + 1]) AS `_apart` (`_one`)"
    listed = [f"{value} AS {quoted(name)}" for name, value in outputs.items()]
    version = "'" + model.spec.version.replace("'", "''") + "' AS `model_version`"
    return "SELECT\n  " + ",\n  ".join([*_line(map(quoted, columns)), *listed, version]) + f"\nFROM {rows}"


def _line(names: Iterable[str]) -> list[str]:
    """Return names in one line, or no line."""
    listed = ", ".join(names)
    return [listed] if listed else []
