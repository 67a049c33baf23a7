"""The SQL that stands behind an ML_PREDICT call: a view that scores, and the view that a query sees.

The first calls the model's function once a row and keeps its ROW as it is; the second takes the output columns
out of it. Whatever else a row carries about its scoring stays in the first, out of the analyst's sight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.project.tokens import quoted
from udfs.arguments import argument_sql

if TYPE_CHECKING:
    from pyflink_jobs.planning.declarations import Model

__all__ = ["SCORE", "predictions_sql", "scoring_sql"]

SCORE = "_score"  # the column that holds the function's ROW


def scoring_sql(source: str, columns: list[str], model: Model, function: str) -> str:
    """Return the query that scores `columns` of `source`, a table's name in backticks or a query in parentheses."""
    arguments = [
        argument
        for column, given in zip(columns, model.spec.inputs, strict=True)
        for argument in argument_sql(quoted(column), given.dtype)
    ]
    if model.monitored:
        options = model.monitored.options
        # As a number: a timestamp of the year 9999 is beyond what pandas can hold.
        arguments.append(f"COALESCE(EXTRACT(EPOCH FROM {quoted(options.time.value)}), 0)")
        arguments += [f"CAST({quoted(options.slice.value)} AS STRING)"] if options.slice else []
    listed = ",\n    ".join(arguments)
    return f"SELECT *,\n  {quoted(function)}(\n    {listed}\n  ) AS {quoted(SCORE)}\nFROM {source}"


def predictions_sql(scored: str, columns: list[str], model: Model) -> str:
    """Return the query for what an analyst sees: the source's columns, the model's outputs, `model_version`."""
    kept = [quoted(name) for name in columns]
    outputs = [f"{quoted(SCORE)}.{quoted(o.name)} AS {quoted(o.name)}" for o in model.definition.outputs]
    version = "'" + model.spec.version.replace("'", "''") + "' AS `model_version`"
    return "SELECT\n  " + ",\n  ".join([", ".join(kept), *outputs, version]) + f"\nFROM {quoted(scored)}"
