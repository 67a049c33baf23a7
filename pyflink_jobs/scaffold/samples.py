"""Read the rows that a trainer scored, choose some, and write them as a model's samples."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from pyflink_jobs.errors import ModelError, Place, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from udfs.scoring.signature import Signature

__all__ = ["MOST", "take_samples"]

MOST = 100
"""How many rows are kept."""

_PATTERNS = 50  # combinations of missing columns that have a row of their own among them
_LOOKED_AT = 100_000  # the first rows of a file, from which they are chosen

_WIDE = 1000  # elements of an output whose width the file does not say


def _first_rows(file: Path) -> pa.Table:
    with pyarrow.parquet.ParquetFile(file) as rows:
        first = next(rows.iter_batches(_LOOKED_AT), None)
        return pa.table([], []) if first is None else pa.Table.from_batches([first])


_READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".parquet": _first_rows,
    ".csv": pyarrow.csv.read_csv,
    ".jsonl": pyarrow.json.read_json,
    ".ndjson": pyarrow.json.read_json,
    ".json": pyarrow.json.read_json,
}


def take_samples(
    file: Path, signature: Signature, columns: Sequence[str] = (), declared: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], str]:
    """Return the names of a model's inputs in the order of the rows, and the text of its samples.

    `columns` are the names of a matrix input's columns, if they are known; else all columns but the scores are.
    Scores are columns with the name of an output, such as `probabilities[1]`, or with a name in `declared`, which has
    the output of each. Raises ModelError for rows that cannot be read, or lack a column.
    """
    table = _read(file)
    outputs = _outputs(table, file, signature, declared or {})
    inputs = _inputs(table, file, signature, columns, outputs)
    chosen = _choose(table.select([*inputs]))
    rows = table.select([*inputs, *outputs]).take(pa.array(chosen))
    values = {name: [_json(value, file, name) for value in rows[name].to_pylist()] for name in rows.column_names}
    lines = [
        {
            "row": number + 1,
            "inputs": {name: values[name][place] for name in inputs},
            "outputs": {output: values[name][place] for name, output in outputs.items()},
        }
        for place, number in enumerate(chosen)
    ]
    return inputs, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _read(file: Path) -> pa.Table:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise ModelError(
            f"rows are read from {', '.join(_READERS)}, not from `{file.suffix or file.name}`",
            place=Place(file),
            fixes=("write the rows as Parquet: DataFrame.to_parquet('rows.parquet')",),
        )
    try:
        table = reader(file)
    except (OSError, pa.ArrowException) as error:
        raise ModelError(f"the rows cannot be read: {error}", place=Place(file)) from error
    if not table.num_rows:
        raise ModelError("there are no rows", place=Place(file))
    table = table.slice(0, _LOOKED_AT)
    wide = [pa.field(f.name, pa.float32()) if pa.types.is_float16(f.type) else f for f in table.schema]
    return table.cast(pa.schema(wide))  # Arrow finds no NaN in float16


def _outputs(table: pa.Table, file: Path, signature: Signature, declared: Mapping[str, str]) -> dict[str, str]:
    """Return the columns with scores, and the output that each belongs to."""
    known = dict(declared)
    for tensor in signature.outputs:
        width = tensor.shape[1] if len(tensor.shape) > 1 else 1
        if not isinstance(width, int) or width == 1:
            known[tensor.name] = tensor.name
        elements = range(width if isinstance(width, int) else _WIDE)
        known |= {name: name for name in (f"{tensor.name}[{i}]" for i in elements)}
    found = {name: known[name] for name in table.column_names if name in known}
    if not found:
        raise ModelError(
            "no column of the rows has a score",
            place=Place(file),
            facts=(
                f"their columns: {', '.join(table.column_names)}",
                f"the model's outputs: {', '.join(list(known)[:8])}",
            ),
            fixes=("give the column with the trainer's scores the name of the output",),
        )
    return found


def _inputs(
    table: pa.Table, file: Path, signature: Signature, columns: Sequence[str], outputs: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the names of the model's inputs, in the order of the rows."""
    first, *more = [tensor for tensor in signature.inputs if not tensor.optional]
    matrix = not more and len(first.shape) > 1
    wanted = [*columns] if matrix else [first.name, *(tensor.name for tensor in more)]
    known = table.column_names
    for name in wanted:
        if name not in known:
            raise ModelError(
                f"the rows have no column `{name}`, which the model expects",
                place=Place(file),
                facts=(f"their columns: {', '.join(known)}",),
                fixes=did_you_mean(
                    name,
                    known,
                    "name the model's columns in order: --columns a,b,c",
                    "add it to the rows",
                    fix=f"rename `{{}}` to `{name}`",
                ),
            )
    found = tuple(name for name in known if (name in wanted if wanted else name not in outputs))
    width = first.shape[1] if matrix else len(found)
    if isinstance(width, int) and len(found) != width:
        raise ModelError(
            f"input `{first.name}` expects {width} columns, the rows have {len(found)} beside the scores",
            place=Place(file),
            facts=(f"their columns: {', '.join(known)}",),
            fixes=("name the model's columns in order: --columns a,b,c",),
        )
    return found


def _choose(inputs: pa.Table) -> list[int]:
    """Return the numbers of rows, from 0: the first with each combination of missing values, and evenly spaced ones."""
    missing = np.stack([pc.is_null(column, nan_is_null=True).to_numpy() for column in inputs.columns], axis=1)
    _, first = np.unique(missing, axis=0, return_index=True)
    evenly = np.linspace(0, len(missing) - 1, min(MOST, len(missing))).astype(int)
    patterns = np.sort(first)[:_PATTERNS]
    others = np.setdiff1d(evenly, patterns)
    room = MOST - len(patterns)
    kept = others if len(others) <= room else others[np.linspace(0, len(others) - 1, room).astype(int)]
    return [int(number) for number in np.union1d(patterns, kept)]


def _json(value: Any, file: Path, name: str) -> Any:  # noqa: ANN401 - a value of Arrow, and one of JSON
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise ModelError(
        f"column `{name}` has {value!r}, which is neither a number, text nor BOOLEAN",
        place=Place(file),
        fixes=("give the column as the model expects it", "leave it out of the rows"),
    )
