"""`reference build` on Parquet files as pandas and pyarrow write them: what has a meaning is read.

Never a stack trace: each case either gives a profile, or a ModelError that says why not.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyflink_jobs.drift.build import build_reference
from pyflink_jobs.drift.subject import Subject, find_subject
from pyflink_jobs.errors import ModelError
from tests.command_line import millstream
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from udfs.drift.reference import Profile

N = 600
GENERATOR = np.random.default_rng(0)
TIMES = pd.date_range("2024-01-01", periods=N, freq="1min")
MODEL = """CREATE MODEL m INPUT (x FLOAT, y FLOAT, z FLOAT) OUTPUT (score DOUBLE) WITH ('provider' = 'onnx',
  'monitor.time' = 'happened', 'monitor.window' = '1 HOUR', 'monitor.slice' = 'place')"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("project"), {"models/m": MODEL}, settings="kafka = 'localhost:1'")
    add_model(made, "m", "linear")
    return made


@pytest.fixture(scope="module")
def subject(project: Project) -> Subject:
    return find_subject(project, "m", "1")


def rows(**columns: object) -> dict[str, Any]:
    return {
        "x": GENERATOR.normal(size=N).astype(np.float32),
        "y": GENERATOR.normal(size=N),
        "z": GENERATOR.integers(0, 9, N),
        "place": GENERATOR.choice(["a", "b"], N),
        "happened": TIMES,
        **columns,
    }


def build(
    subject: Subject, folder: Path, table: pd.DataFrame | pa.Table, time: str | None = None
) -> tuple[Profile, list[str]]:
    """Return the profile and the warnings, without the one that ten windows are few."""
    file = folder / "rows.parquet"
    if isinstance(table, pa.Table):
        pq.write_table(table, file)
    else:
        table.to_parquet(file)
    warnings: list[str] = []
    profile = build_reference(
        subject.definition,
        subject.spec,
        subject.options,
        file,
        folder / "out.parquet",
        on_warning=warnings.append,
        time=time,
    )
    return profile, [text for text in warnings if "windows of 3,600 s" not in text]


def shares(profile: Profile, name: str) -> tuple[int, int]:
    """Return the numbers of a column's values and NULLs."""
    counts = profile.whole.column(profile.features.names.index(name))
    return int(counts.n), int(counts.nulls)


HALF = [True, None] * (N // 2)
NUMBERS: dict[str, tuple[Any, int]] = {
    "category of integers": (pd.Categorical(GENERATOR.choice([1, 2, 3], N)), N),
    "category with NULL": (pd.Categorical([1.5, None] * (N // 2)), N // 2),
    "Decimal": ([Decimal(i) / 4 for i in range(N)], N),
    "Int64 with NA": (pd.array([1, None] * (N // 2), "Int64"), N // 2),
    "boolean with NA": (pd.array(HALF, "boolean"), N // 2),
    "bool": ([True, False] * (N // 2), N),
    "uint64": (np.arange(N).astype(np.uint64) + np.uint64(2**63), N),
    "float16": (np.arange(N).astype(np.float16), N),
    "int8": (np.arange(N).astype(np.int8), N),
    "Float64 with NA": (pd.array([0.5, None] * (N // 2), "Float64"), N // 2),
    "arrow-backed": (pd.array([1, None] * (N // 2), pd.ArrowDtype(pa.int32())), N // 2),
    "numbers as text": (["1.5"] * N, N),
    "objects": (np.array([1, 2.5] * (N // 2), object), N),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_columns_that_have_a_meaning_are_read(kind: str, subject: Subject, tmp_path: Path) -> None:
    column, values = NUMBERS[kind]
    profile, warnings = build(subject, tmp_path, pd.DataFrame(rows(x=column)))
    assert warnings == []
    assert shares(profile, "x") == (values, N - values)
    numbers = pd.to_numeric(pd.Series(list(column)).dropna().astype(float)).to_numpy(np.float32)
    at = profile.features.names.index("x")
    assert (profile.whole.least[at], profile.whole.most[at]) == (numbers.min(), numbers.max())


@pytest.mark.parametrize(
    "values", [[None] * N, [np.nan] * N, pd.array([None] * N, "Int64"), pd.array([pd.NA] * N, "string")]
)
def test_a_column_without_a_value_is_warned_of_alone(values: object, subject: Subject, tmp_path: Path) -> None:
    profile, warnings = build(subject, tmp_path, pd.DataFrame(rows(x=values)))
    assert warnings[0] == "column `x` has no value: only its share of NULL is compared"
    assert profile.features.names == ("x", "y", "z", "score")
    assert shares(profile, "x") == (0, N)
    assert shares(profile, "y") == (N, 0)


UNREAD: dict[str, Any] = {
    "date32[day]": [dt.date(2024, 1, 1)] * N,
    "timestamp[ns]": TIMES,
    "timestamp[ns, tz=Europe/Berlin]": TIMES.tz_localize("Europe/Berlin"),
    "time64[us]": [dt.time(1, 2)] * N,
    "duration[ns]": pd.to_timedelta(range(N), unit="s"),
    "list<element: int64>": [[1]] * N,
    "struct<a: int64>": [{"a": 1}] * N,
    "string": ["abc"] * N,
    "binary": [b"\xff"] * N,
    "extension<pandas.period<ArrowPeriodType>>": pd.period_range("2024", periods=N, freq="h"),
    "extension<pandas.interval<ArrowIntervalType>>": pd.arrays.IntervalArray.from_breaks(range(N + 1)),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_a_column_without_a_meaning_for_the_model_is_named(kind: str, subject: Subject, tmp_path: Path) -> None:
    table = pd.DataFrame(rows(x=UNREAD[kind]))
    what = f"column `x` is {kind}, but the model expects float32"
    with pytest.raises(ModelError) as error:
        build(subject, tmp_path, table)
    assert what in str(error.value)
    assert "the model needs it to compute its outputs" in str(error.value)
    profile, warnings = build(subject, tmp_path, table.assign(score=1.5))
    assert warnings[0].startswith(what)
    assert warnings[0].endswith("It is left out of the reference")
    assert profile.features.names == ("y", "z", "score")


INDICES = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("text", [pa.string(), pa.large_string()], ids=str)
def test_dictionaries_of_any_index_are_read(
    index: pa.DataType, text: pa.DataType, subject: Subject, tmp_path: Path
) -> None:
    place = pa.array(GENERATOR.choice(np.array(["a", "b", None], object), N))
    names = place.dictionary_encode().dictionary.to_pylist()
    column = pa.DictionaryArray.from_arrays(place.dictionary_encode().indices.cast(index), pa.array(names, text))
    numbers = pa.DictionaryArray.from_arrays(pa.array([0, 1] * (N // 2), index), pa.array([2.5, 7.5]))
    profile, warnings = build(subject, tmp_path, pa.table(rows(place=column, x=numbers)))
    assert warnings == []
    counted = {label: counts.rows for (label, _), counts in profile.counts.items()}
    assert counted == {{None: "(null)"}.get(label, label): n for label, n in Counter(place.to_pylist()).items()}
    assert (profile.whole.least[0], profile.whole.most[0]) == (2.5, 7.5)


PLACES: dict[str, tuple[Any, set[str]]] = {
    "category": (pd.Categorical(["a", None] * (N // 2)), {"a", "(null)"}),
    "integers": ([1, 2] * (N // 2), {"1", "2"}),
    "integers with NULL": (pd.array([1, None] * (N // 2), "Int64"), {"1", "(null)"}),
    "as floats": ([1.0, np.nan] * (N // 2), {"1", "(null)"}),
    "BOOLEAN as Flink's text": ([True, False] * (N // 2), {"TRUE", "FALSE"}),
    "dates": ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)] * (N // 2), {"2024-01-01", "2024-01-02"}),
    "no value": ([None] * N, {"(null)"}),
    "bytes": ([b"a", b"b"] * (N // 2), {"a", "b"}),
}


@pytest.mark.parametrize("kind", PLACES)
def test_slices_are_read(kind: str, subject: Subject, tmp_path: Path) -> None:
    column, labels = PLACES[kind]
    profile, _ = build(subject, tmp_path, pd.DataFrame(rows(place=column)))
    assert {label for label, _ in profile.counts} == labels


def test_slices_that_are_no_text_are_named(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="column `place`, of the slices: it is list"):
        build(subject, tmp_path, pd.DataFrame(rows(place=[[1]] * N)))


UTC = TIMES.tz_localize("UTC")
MOMENTS: dict[str, Any] = {
    "without a zone": TIMES,
    "UTC": UTC,
    "another zone": UTC.tz_convert("Asia/Kolkata"),
    "an offset": pa.array(TIMES).cast(pa.timestamp("ns", "+02:00")),
    "text": [str(time) for time in TIMES],
    "text with Z": [f"{time.isoformat()}Z" for time in TIMES],
    "text with an offset": [(time + pd.Timedelta("2h")).isoformat() + "+02:00" for time in TIMES],
    "text as a category": pd.Categorical([str(time) for time in TIMES]),
    **{unit: pa.array(TIMES).cast(pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
}


@pytest.mark.parametrize("kind", MOMENTS)
def test_event_times_are_read(kind: str, subject: Subject, tmp_path: Path) -> None:
    column = MOMENTS[kind]
    profile, _ = build(subject, tmp_path, pa.table(rows(happened=column)))
    # Ten hours of sixty rows in two slices: each window of 30 values or more has a distance.
    plain, _ = build(subject, tmp_path, pa.table(rows(happened=TIMES)))
    windows = {label: len(profile.distances.get((label, "x", 0), ())) for label in profile.keys.labels}
    assert 4 <= sum(windows.values()) <= 16, windows
    assert profile.keys.time == plain.keys.time == "happened"


WRONG: dict[str, tuple[Any, str]] = {
    "American": (
        ["01/02/2024 12:00"] * N,
        "column `happened` is text such as '01/02/2024 12:00', expected a timestamp",
    ),
    "seconds": (
        np.arange(N) + 1_700_000_000,
        "is int64 such as 1700000000 (in pandas: pd.to_datetime(column, unit='s'))",
    ),
    "milliseconds": (np.arange(N) + 1_700_000_000_000, "pd.to_datetime(column, unit='ms')"),
    "nanoseconds": (np.arange(N) + 1_700_000_000_000_000_000, "pd.to_datetime(column, unit='ns')"),
    "floats": (np.arange(N) + 1.7e9, "is double such as 1700000000.0 (in pandas: pd.to_datetime(column, unit='s'))"),
    "NULL": ([None, *TIMES[1:]], "column `happened` has a NULL, expected a timestamp in each row"),
    "times of day": ([dt.time(1)] * N, "column `happened` is time64[us], expected a timestamp in each row"),
    "mixed": (["2024-01-01", "2024-01-01T00:00:00Z"] * (N // 2), "in some rows with a zone and in some without"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_event_times_that_are_none_are_named(kind: str, subject: Subject, tmp_path: Path) -> None:
    column, words = WRONG[kind]
    with pytest.raises(ModelError) as error:
        build(subject, tmp_path, pd.DataFrame(rows(happened=column)))
    assert words in str(error.value)


def test_event_time_under_another_name(subject: Subject, tmp_path: Path) -> None:
    frame = pd.DataFrame(rows()).rename(columns={"happened": "departure"})
    with pytest.raises(ModelError) as error:
        build(subject, tmp_path, frame)
    assert "the rows have no column `happened`, the event time of the monitor" in str(error.value)
    assert "name its column: --time departure" in str(error.value)
    profile, _ = build(subject, tmp_path, frame, time="departure")
    assert profile.keys.time == "happened"
    with pytest.raises(ModelError, match="name its column: --time departure"):
        build(subject, tmp_path, frame, time="departre")
    indexed = pd.DataFrame(rows()).set_index("happened")
    assert build(subject, tmp_path, indexed)[0].whole.rows == N
    indexed.index.name = None
    with pytest.raises(ModelError, match="--time __index_level_0__"):
        build(subject, tmp_path, indexed)


def test_other_columns_do_not_matter(subject: Subject, tmp_path: Path) -> None:
    table = pa.table(rows(nested=[{"a": [1]}] * N, spans=pa.array([1] * N, pa.duration("s"))))
    assert build(subject, tmp_path, table)[0].whole.rows == N
    assert build(subject, tmp_path, table.rename_columns([*table.column_names[:-1], "a.b"]))[0].whole.rows == N


def test_the_command_warns_and_goes_on(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "rows.pq"  # a Parquet file by its content, not by its name
    frame = pd.DataFrame(rows(x=[None] * N)).rename(columns={"happened": "at"})
    frame.to_parquet(file)
    done = millstream(project.root, "reference", "build", "--model", "m", "--from", str(file), "--time", "at")
    assert done.code == 0, done.err
    assert "warning: column `x` has no value: only its share of NULL is compared" in done.err
    done = millstream(project.root, "reference", "build", "--model", "m", "--from", str(file))
    assert done.code == 1
    assert "--time at" in done.err
    assert "Traceback" not in done.err
