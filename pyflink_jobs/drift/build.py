"""Build a model's reference profile from rows: its inputs from them, its outputs by scoring them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from pyflink_jobs.errors import ModelError
from udfs.drift.build_reference import SLICES, build_profile
from udfs.drift.reference import ProfileError, write_profile
from udfs.nulls import masked
from udfs.scoring.inference import run_inference
from udfs.scoring.model import load_model, numpy_dtype
from udfs.scoring.signature import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.planning.companions.monitor_options import MonitorOptions
    from udfs.drift.reference import Profile
    from udfs.scoring.model import Model, ModelSpec

__all__ = ["build_reference"]

_BATCH = 1 << 16  # rows


def build_reference(
    definition: ModelDefinition,
    spec: ModelSpec,
    options: MonitorOptions | None,
    rows: Path,
    out: Path,
    *,
    slices: int = SLICES,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Profile:
    """Write the profile of all inputs and outputs to `out`, divided as the model's monitor says, and return it.

    `rows` is a Parquet file, or a file or folder of JSON lines. Outputs that are not among its columns are
    computed by the model. Raises ModelError if the rows or the model cannot be read or lack a column.
    """
    names = [column.name for column in (*definition.inputs, *definition.outputs)]
    slice_column = options.slice.value if options and options.slice else None
    time = options.time.value if options else None
    keys = [name for name in (slice_column, time) if name]
    with TemporaryDirectory(prefix="millstream-reference-") as temporary:
        complete = Path(temporary) / "complete.parquet"
        try:
            given = _parquet(rows, Path(temporary), time)
            _score(given, complete, spec, [name for name in keys if name not in names], on_progress)
            profile = build_profile(
                spec.name,
                spec.version,
                complete,
                names,
                slice_column=slice_column,
                slices=slices,
                time=time,
                season=options.season if options else "none",
                window=options.window if options else 0,
            )
        except (ProfileError, ModelFileError) as error:
            raise ModelError(str(error).replace(str(complete), str(rows)), facts=(f"rows from {rows}",)) from error
        out.parent.mkdir(parents=True, exist_ok=True)
        write_profile(profile, Path(temporary) / "reference.parquet")
        out.write_bytes((Path(temporary) / "reference.parquet").read_bytes())
    return profile


def _parquet(rows: Path, temporary: Path, time: str | None) -> Path:
    """Return a Parquet file of the rows: the given one, or one made from JSON lines, with `time` as a timestamp."""
    if rows.is_file() and rows.suffix == ".parquet":
        return rows
    files = sorted(p for p in rows.rglob("*") if p.is_file() and not p.name.startswith((".", "_"))) or [rows]
    made = temporary / "rows.parquet"
    try:
        tables = [pj.read_json(file) for file in files if file.stat().st_size]
        if not tables:
            raise ProfileError(f"{rows} has no rows")
        table = pa.concat_tables(tables, promote_options="permissive")
        if time in table.column_names and pa.types.is_string(table[time].type):
            # Arrow reads times with a fraction of a second as text.
            zone = "UTC" if pc.any(pc.match_substring_regex(table[time], r"(Z|[+-]\d\d:?\d\d)$")).as_py() else None
            place = table.column_names.index(time)
            table = table.set_column(place, time, table[time].cast(pa.timestamp("ms", zone)))
        pq.write_table(table, made)
    except (OSError, pa.ArrowException) as error:
        raise ProfileError(f"{rows} is neither a Parquet file nor JSON lines: {error}") from error
    return made


def _score(given: Path, out: Path, spec: ModelSpec, keys: list[str], on_progress: Callable[[int, int], None]) -> None:
    """Write the model's columns, and those the profile is divided by; missing outputs are computed by the model."""
    try:
        parquet = pq.ParquetFile(given)
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{given} cannot be read as Parquet: {error}") from error
    names = parquet.schema_arrow.names
    for name in (*(i.name for i in spec.inputs), *keys):
        if name not in names:
            raise ProfileError(f"the rows have no column `{name}`; they have: {', '.join(names)}")
    outputs = [output.name for output in spec.outputs if output.name in names]
    model = None if len(outputs) == len(spec.outputs) else load_model(spec)
    wanted = [*(i.name for i in spec.inputs), *outputs, *keys]
    writer = None
    done = 0
    for batch in parquet.iter_batches(_BATCH, columns=wanted):
        columns = {name: batch.column(name) for name in wanted}
        columns |= dict(_predicted(model, batch, outputs)) if model else {}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
        done += len(table)
        on_progress(done, parquet.metadata.num_rows)
    if writer is None:
        raise ProfileError("there are no rows")
    writer.close()


def _predicted(model: Model, batch: pa.RecordBatch, there: list[str]) -> Iterator[tuple[str, pa.Array]]:
    predictions = run_inference([_input(batch.column(i.name), i.dtype) for i in model.spec.inputs], model)
    for output, values in zip(model.spec.outputs, predictions.outputs, strict=True):
        if output.name not in there:
            null = values.mask if isinstance(values, np.ma.MaskedArray) else None
            yield output.name, pa.array(np.asarray(values), mask=null, from_pandas=True)


def _input(column: pa.Array, dtype: str) -> NDArray[Any]:
    """Return a column as run_inference expects it."""
    wanted = numpy_dtype(dtype)
    if wanted.kind == "f":
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), wanted)
    null = column.is_null().to_numpy(zero_copy_only=False)
    filled = column.cast(pa.string() if wanted.kind == "O" else pa.from_numpy_dtype(wanted))
    values = filled.fill_null("" if wanted.kind == "O" else 0).to_numpy(zero_copy_only=False)
    return masked(values, null) if null.any() else np.asarray(values)
