"""A Flink job that scores rows with several models, for test_scoring_function.py; a program that prints them as JSON.

Among its rows: one that GATHER refuses at each position of a batch, NULLs, and integers beyond 2**53.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from pyflink.common import Configuration
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment

from tests.unit.onnx_models import model_spec
from udfs.flink.scoring import scoring_function
from udfs.scoring.arguments import argument_sql
from udfs.scoring.model import ModelSpec, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

__all__ = ["DTYPES", "GATHER", "MLP", "OPTIONS", "STRINGS", "Row", "rows", "score"]

Row = tuple[int, list[float], int | None, float | None, str | None, bool | None]

MLP = model_spec("mlp", outputs=(Output("p", "p", None, "float64"),))
GATHER = model_spec("gather")
STRINGS = model_spec("strings", null_inputs="refuse")
DTYPES = model_spec(
    "every_dtype",
    outputs=(
        Output("n", "int64_out", None, "int64"),
        Output("b", "bool_out", None, "bool"),
        Output("s", "string_out", None, "string"),
        Output("x", "float64_out", None, "float64"),
    ),
)
COLUMNS = {"int64": "n", "bool": "b", "string": "s", "float64": "x", "float16": "x"}  # of DTYPES; the others get 1
TYPES = {**{f"c{i}": "FLOAT" for i in range(16)}, "n": "BIGINT", "x": "FLOAT", "s": "STRING", "b": "BOOLEAN"}
BATCH = 4
OPTIONS = {
    "parallelism.default": "1",
    "python.fn-execution.arrow.batch.size": str(BATCH),
    "python.fn-execution.bundle.size": str(2 * BATCH),
}


def rows() -> list[Row]:
    """Return id, 16 float32, n BIGINT, x FLOAT, s STRING, b BOOLEAN."""
    random = np.random.default_rng(3)
    data: list[Row] = []
    for i in range(BATCH * 8):
        batch, position = divmod(i, BATCH)
        n: int | None = int(random.integers(-5, 5))
        if batch < BATCH and position == batch:  # each position of a batch is refused once
            n = 2**53 + 1 if position % 2 else -(2**63)
        elif batch in (5, 6) and position != 1:  # a batch with NULLs, and one of nearly nothing else
            n = None
        x = None if i % 7 == 3 else float(np.float32(random.normal()))
        s = None if i % 11 == 5 else str(random.choice(["AA", "B6", "Ünï✈", ""]))
        features = [float(v) for v in random.normal(size=16).astype(np.float32)]
        data.append((i, features, n, x, s, None if i % 9 == 4 else bool(i % 2)))
    return data


def call(spec: ModelSpec, columns: list[str], *, wide: bool) -> str:
    """Return the SQL that calls the model's function."""
    arguments: list[str] = []
    for column, given in zip(columns, spec.inputs, strict=True):
        arguments += argument_sql(column, TYPES.get(column, "INT"), given.dtype, wide=wide)
    return f"{spec.name}({', '.join(arguments)})"


def score(
    environment: TableEnvironment,
    function: Callable[[ModelSpec], UserDefinedScalarFunctionWrapper] = scoring_function,
) -> list[list[Any]]:
    """Run the job, in which `function` makes the function of each model; return its rows in any order."""
    types = {
        "id": DataTypes.INT(),
        **{f"c{i}": DataTypes.FLOAT() for i in range(16)},
        "n": DataTypes.BIGINT(),
        "x": DataTypes.FLOAT(),
        "s": DataTypes.STRING(),
        "b": DataTypes.BOOLEAN(),
    }
    schema = DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in types.items()])
    table = environment.from_elements([(i, *features, *rest) for i, features, *rest in rows()], schema)
    environment.create_temporary_view("flights", table)
    for spec in (MLP, GATHER, STRINGS, DTYPES):
        environment.create_temporary_function(spec.name, function(spec))
    inputs = {
        MLP: [f"c{i}" for i in range(16)],
        GATHER: ["n", "x"],
        STRINGS: ["s", "x", "CAST(1.5 AS FLOAT)"],
        DTYPES: [COLUMNS.get(given.dtype, "1") for given in DTYPES.inputs],
    }
    wide = function is not scoring_function
    calls = [f"{call(spec, columns, wide=wide)} AS {spec.name}" for spec, columns in inputs.items()]
    fields = [f"{spec.name}.{name}" for spec in inputs for name in (*(o.name for o in spec.outputs), "error")]
    query = f"SELECT id, {', '.join(fields)} FROM (SELECT id, {', '.join(calls)} FROM flights)"
    with environment.execute_sql(query).collect() as results:
        return [list(row) for row in results]


def main() -> None:
    """Run the job in this process, and print one JSON array of rows."""
    configuration = Configuration()
    for key, value in {
        **OPTIONS,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }.items():
        configuration.set_string(key, value)
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    print(json.dumps(score(TableEnvironment.create(settings))))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
