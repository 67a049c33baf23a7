"""Build a model's reference profile from rows: its inputs from them, its outputs by scoring them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from pyflink_jobs.drift.model_columns import as_model_reads, column_problem
from pyflink_jobs.drift.reference_size import check_size, size_warnings
from pyflink_jobs.errors import ModelError, did_you_mean
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
_PARQUET = b"PAR1"  # how such a file begins


def build_reference(
    definition: ModelDefinition,
    spec: ModelSpec,
    options: MonitorOptions | None,
    rows: Path,
    out: Path,
    *,
    slices: int = SLICES,
    time: str | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    on_warning: Callable[[str], None] = lambda _text: None,
) -> Profile:
    """Write the profile of all inputs and outputs to `out`, divided as the model's monitor says, and return it.

    `rows` is a Parquet file, or a file or folder of JSON lines; `time` is its column of event times, if that has
    another name than the monitor's. Outputs that are not among its columns are computed by the model.
    `on_warning` is called for each column that has no value or is left out, and for what the rows are too few for.
    Raises ModelError if the rows or the model cannot be read, lack a column, or are too few.
    """
    slice_column = options.slice.value if options and options.slice else None
    event_time = options.time.value if options else None
    with TemporaryDirectory(prefix="millstream-reference-") as temporary:
        complete = Path(temporary) / "complete.parquet"
        try:
            given = _open(_parquet(rows, Path(temporary)))
            _check_columns(given, [*(i.name for i in spec.inputs), *([slice_column] if slice_column else [])])
            keys = {name: name for name in (slice_column,) if name}
            if event_time:
                keys[event_time] = _time_column(given, event_time, time)
            names = _score(given, complete, spec, keys, on_progress, on_warning)
            profile = build_profile(
                spec.name,
                spec.version,
                complete,
                [column.name for column in (*definition.inputs, *definition.outputs) if column.name in names],
                slice_column=slice_column,
                slices=slices,
                time=event_time,
                season=options.season if options else "none",
                window=options.window if options else 0,
            )
        except (ProfileError, ModelFileError) as error:
            raise ModelError(str(error).replace(str(complete), str(rows)), facts=(f"rows from {rows}",)) from error
        check_size(profile, str(rows))
        for text in size_warnings(profile):
            on_warning(text)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_profile(profile, Path(temporary) / "reference.parquet")
        out.write_bytes((Path(temporary) / "reference.parquet").read_bytes())
    return profile


def _parquet(rows: Path, temporary: Path) -> Path:
    """Return a Parquet file of the rows: the given one, or one made from JSON lines."""
    try:
        if rows.is_file() and (rows.suffix == ".parquet" or rows.open("rb").read(len(_PARQUET)) == _PARQUET):
            return rows
        files = sorted(p for p in rows.rglob("*") if p.is_file() and not p.name.startswith((".", "_"))) or [rows]
        tables = [pj.read_json(file) for file in files if file.stat().st_size]
        if not tables:
            raise ProfileError(f"{rows} has no rows")
        pq.write_table(pa.concat_tables(tables, promote_options="permissive"), temporary / "rows.parquet")
    except (OSError, pa.ArrowException) as error:
        raise ProfileError(f"{rows} is neither a Parquet file nor JSON lines: {error}") from error
    return temporary / "rows.parquet"


def _open(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ProfileError(f"{file} cannot be read as Parquet: {error}") from error


def _check_columns(parquet: pq.ParquetFile, wanted: list[str]) -> None:
    names = parquet.schema_arrow.names
    for name in wanted:
        if name not in names:
            raise ProfileError(f"the rows have no column `{name}`; they have: {', '.join(names)}")


def _time_column(parquet: pq.ParquetFile, name: str, given: str | None) -> str:
    """Return the column with the event times: the given one, or the one that is named like the monitor's.

    Raises ModelError if there is none.
    """
    schema = parquet.schema_arrow
    wanted = given or name
    if wanted in schema.names:
        return wanted
    times = [field.name for field in schema if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)]
    likely = did_you_mean(wanted, schema.names, *times, fix="{}")
    raise ModelError(
        f"the rows have no column `{wanted}`, the event time of the monitor",
        facts=(f"they have: {', '.join(schema.names)}",),
        fixes=tuple(f"name its column: --time {other}" for other in likely) or ("name its column: --time COLUMN",),
    )


def _score(
    parquet: pq.ParquetFile,
    out: Path,
    spec: ModelSpec,
    keys: dict[str, str],
    on_progress: Callable[[int, int], None],
    on_warning: Callable[[str], None],
) -> set[str]:
    """Write the model's columns, and those the profile is divided by; missing outputs are computed by the model.

    `keys` has the names of the latter, and their columns among the rows. Returns the names of the former: without
    columns that cannot be read as the model reads them.
    """
    names = parquet.schema_arrow.names
    dtypes = {i.name: i.dtype for i in spec.inputs} | {o.name: o.dtype for o in spec.outputs if o.name in names}
    problems = {name: found for name, dtype in dtypes.items() if (found := column_problem(parquet, name, dtype))}
    unread = [name for name, found in problems.items() if not found.empty]
    outputs = [output.name for output in spec.outputs if output.name in dtypes and output.name not in unread]
    model = None if len(outputs) == len(spec.outputs) else load_model(spec)
    if model and any(i.name in unread for i in spec.inputs):
        needed = tuple(problems[i.name].text for i in spec.inputs if i.name in unread)
        first, *others = needed
        fixes = ("convert it as the SQL does that feeds the model", "add the model's outputs to the rows as columns")
        raise ModelError(first, facts=(*others, "the model needs it to compute its outputs"), fixes=fixes)
    for found in problems.values():
        on_warning(found.text if found.empty else f"{found.text}. It is left out of the reference")
    wanted = [name for name in (*(i.name for i in spec.inputs), *outputs) if name not in unread]
    writer = None
    done = 0
    for batch in parquet.iter_batches(_BATCH, columns=[*dict.fromkeys((*wanted, *keys.values()))]):
        columns = {name: batch.column(column) for name, column in keys.items()}
        columns |= {name: as_model_reads(batch.column(name), dtypes[name]) for name in wanted}
        columns |= dict(_predicted(model, columns, outputs)) if model else {}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
        done += len(table)
        on_progress(done, parquet.metadata.num_rows)
    if writer is None:
        raise ProfileError("there are no rows")
    writer.close()
    return {*wanted, *(output.name for output in spec.outputs)}


def _predicted(model: Model, columns: dict[str, pa.Array], there: list[str]) -> Iterator[tuple[str, pa.Array]]:
    predictions = run_inference([_input(columns[i.name], i.dtype) for i in model.spec.inputs], model)
    for output, values in zip(model.spec.outputs, predictions.outputs, strict=True):
        if output.name not in there:
            null = values.mask if isinstance(values, np.ma.MaskedArray) else None
            yield output.name, pa.array(np.asarray(values), mask=null, from_pandas=True)


def _input(column: pa.Array, dtype: str) -> NDArray[Any]:
    """Return a column as run_inference expects it."""
    wanted = numpy_dtype(dtype)
    if wanted.kind == "f":
        return np.asarray(column.to_numpy(zero_copy_only=False), wanted)
    null = column.is_null().to_numpy(zero_copy_only=False)
    values = column.fill_null("" if wanted.kind == "O" else 0).to_numpy(zero_copy_only=False)
    return masked(values, null) if null.any() else np.asarray(values)
