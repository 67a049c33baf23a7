"""Values that changed on their way into a model: the model gets the value that the row has, or the row is refused.

The model gives back what it gets, so its outputs are what the model saw.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.planning.declare import declare
from tests.onnx_file import Node, Value, onnx_file
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_spec
from udfs.scoring.inference import run_inference
from udfs.scoring.model import Input, Model, ModelSpec, Output, load_model
from udfs.scoring.signature import sha256

NUMBERS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64")
ARRIVING = ("float32", "float64", "int8", "int16", "int32", "int64")
"""The dtypes in which numbers of SQL arrive in a worker."""

LARGEST = {"float16": Fraction(65504), "float32": Fraction(2**128 - 2**104), "float64": Fraction(2**1024 - 2**971)}
HALF_A_STEP = {"float16": Fraction(16), "float32": Fraction(2**103), "float64": Fraction(2**970)}


def echoed(values: list[Any], arriving: str, dtype: str) -> tuple[list[Any], list[str | None]]:
    """Return what the model got, and why rows were refused."""
    found = run_inference([np.array(values, arriving)], _echo(dtype))
    errors = [None] * len(values) if found.error is None else list(found.error)
    return list(found.outputs[0]), errors


@cache
def _echo(dtype: str) -> Model:
    """Return a model that gives back its input."""
    value = [Value("x", dtype, ["batch"])], [Value("y", dtype, ["batch"])]
    path = Path(mkdtemp()) / "model.onnx"
    path.write_bytes(onnx_file([Node("Identity", ["x"], ["y"])], *value))
    output = Output("y", "y", None, "float32" if dtype == "float16" else dtype)
    return load_model(ModelSpec("echo", "1", str(path), sha256(path), (Input("x", "x", dtype),), (output,)))


def nearest(value: Fraction, dtype: str) -> Fraction | None:
    """Return the number of a dtype that IEEE 754 rounds to, by exact arithmetic; None where there is none."""
    if dtype.startswith("int"):
        limit = 2 ** (int(dtype[3:]) - 1)
        return value if value.denominator == 1 and -limit <= value < limit else None
    if abs(value) >= LARGEST[dtype] + HALF_A_STEP[dtype]:
        return None
    digits, smallest = {"float16": (11, -24), "float32": (24, -149), "float64": (53, -1074)}[dtype]
    if value == 0:
        return value
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    exponent -= int(abs(value) < Fraction(2) ** exponent)
    step = Fraction(2) ** max(exponent - digits + 1, smallest)
    return round(value / step) * step  # Python rounds a half to the even number, as IEEE 754 does


@pytest.mark.parametrize(
    ("arriving", "dtype", "value", "words"),
    [
        ("int64", "int32", 3_000_000_000, "3000000000, and int32 holds whole numbers from -2147483648 to 2147483647"),
        ("float64", "int8", 1.7, "1.7, and int8 holds whole numbers from -128 to 127"),
        ("float64", "int8", np.nan, "nan, and int8 holds whole numbers from -128 to 127"),
        (
            "float64",
            "int64",
            2.0**63,
            f"9.223372036854776e+18, and int64 holds whole numbers from {-(2**63)} to {2**63 - 1}",
        ),
        ("float64", "float32", 1e39, "1e+39, and float32 holds at most 3.40282347e+38"),
        ("float32", "float16", 70000, "70000.0, and float16 holds at most 65504"),
        ("int16", "int8", 200, "200, and int8 holds whole numbers from -128 to 127"),
    ],
)
def test_a_reported_value_refuses_its_row(arriving: str, dtype: str, value: float, words: str) -> None:
    found, errors = echoed([1, value, 3], arriving, dtype)
    assert errors == [None, f"input `x` is {words}", None]
    assert [found[0], found[2]] == [1, 3]


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, str, list[Any]]:
    """Return a dtype of SQL, one of a model, and values: many of them near the model's limits."""
    arriving, dtype = draw(st.sampled_from(ARRIVING)), draw(st.sampled_from(NUMBERS))
    edges = [0, 1, -1, 2**7, 2**15, 2**24 + 1, 2**31, 2**53 + 1, 2**63, -(2**7) - 1, -(2**31) - 1, 65504, 65519, 65520]
    near = st.builds(lambda edge, by: edge + by, st.sampled_from(edges), st.integers(-2, 2))
    if arriving.startswith("int"):
        limit = 2 ** (int(arriving[3:]) - 1)
        one = st.one_of(st.integers(-limit, limit - 1), near.filter(lambda n: -limit <= n < limit))
        return arriving, dtype, draw(st.lists(one, min_size=1, max_size=40))
    width = int(arriving[5:])
    floats = st.one_of(
        st.floats(width=32 if width == 32 else 64, allow_nan=False, allow_infinity=False),
        near.map(float),
        st.sampled_from([0.5, 1.7, -0.5, 65519.99, 3.4028235e38, -65520.5]),
    )
    values = draw(st.lists(floats, min_size=1, max_size=40))
    return arriving, dtype, [float(np.array(value, arriving)) for value in values]


@given(rows())
def test_every_pair_of_types_gives_the_nearest_value_or_refuses_the_row(case: tuple[str, str, list[Any]]) -> None:
    arriving, dtype, values = case
    found, errors = echoed(values, arriving, dtype)
    for value, got, error in zip(values, found, errors, strict=True):
        expected = nearest(Fraction(value), dtype)
        if expected is None:
            assert f"input `x` is {np.array(value, arriving)[()]}, and {dtype} holds" in (error or "")
        else:
            assert error is None
            assert Fraction(float(got) if "float" in dtype else int(got)) == expected


@given(value=st.sampled_from([np.inf, -np.inf]), dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_an_infinite_input_reaches_the_model_and_an_infinite_output_is_null(value: float, dtype: str) -> None:
    found, errors = echoed([1.5, value], "float64", dtype)
    assert found[0] == 1.5
    assert np.isnan(found[1])
    assert errors == [None, f"output `y` is {'-' if value < 0 else ''}Infinity"]


@pytest.mark.parametrize("text", ["a\0b", "", "é✈\U0001f6eb", " \n\t", "x" * 100_000])
def test_text_stays_as_it_is(text: str) -> None:
    assert echoed([text, "b"], "object", "string") == ([text, "b"], [None, None])


# What the types show before a job starts

KAFKA = "'connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'nowhere:9092', 'format' = 'json'"
LIMITS = {"TINYINT": 2**7, "SMALLINT": 2**15, "INT": 2**31, "BIGINT": 2**63}
DTYPES = {"TINYINT": "int8", "SMALLINT": "int16", "INT": "int32", "BIGINT": "int64", "FLOAT": "float16"}
VIEWS = {
    "SELECT * FROM events": True,
    "SELECT id, n FROM events WHERE id > 1": True,
    "SELECT e.`n` AS n FROM events AS e": True,
    "SELECT DISTINCT e.n FROM events e LEFT JOIN others o ON e.id = o.id": True,
    "SELECT n + 1 AS n FROM events": False,
    "SELECT n FROM (SELECT * FROM events)": False,
    "SELECT n FROM events UNION ALL SELECT n FROM others": False,
}


def findings(
    folder: Path, column: str, tensor: str, comment: str = "", view: str = "SELECT id, n FROM events", mode: str = ""
) -> list[str]:
    """Return the findings without a JVM for a column `n` that goes through a view to an input of a tensor's dtype."""
    inputs = [(one.name, one.dtype) for one in model_spec("every_dtype").inputs]
    types = {"float64": "DOUBLE", "bool": "BOOLEAN", "string": "STRING", **{v: k for k, v in DTYPES.items()}}
    listed = ", ".join(f"`{name}` {types[dtype]}" for name, dtype in inputs)
    others = ", ".join(f"CAST(NULL AS {types[dtype]}) AS `{name}`" for name, dtype in inputs if dtype != tensor)
    said = f" COMMENT '{comment}'" if comment else ""
    names = ", ".join("n" if dtype == tensor else f"`{name}`" for name, dtype in inputs)
    quarantine = f", 'quarantine' = '{mode}'" if mode else ""
    project = make_project(
        folder,
        {
            "sources/events": f"CREATE TABLE events (id INT, n {column}{said}) WITH ({KAFKA}{quarantine})",
            "sources/others": f"CREATE TABLE others (id INT, m INT) WITH ({KAFKA})",
            "sinks/quarantine": f"CREATE TABLE quarantine (reason STRING) WITH ({KAFKA})",
            "features/f": f"CREATE VIEW f AS {view}",
            "features/g": f"CREATE VIEW g AS SELECT n, {others} FROM f",
            "models/m": f"CREATE MODEL m INPUT ({listed}) OUTPUT (y BIGINT)\n"
            "WITH ('provider' = 'onnx', 'output.y' = 'int64_out')",
            "jobs/j": f"INSERT INTO sink SELECT y FROM ML_PREDICT(TABLE g, MODEL m,\n DESCRIPTOR({names}))",
        },
    )
    add_model(project, "m", "every_dtype")
    return [str(finding) for finding in declare(project).findings]


@pytest.mark.parametrize("wanted", LIMITS)
@pytest.mark.parametrize(
    "column", [*LIMITS, "FLOAT", "DOUBLE", "DECIMAL(2)", "DECIMAL(10,0)", "DECIMAL(19,0)", "DECIMAL(4,2)"]
)
def test_a_type_that_may_not_fit_is_a_finding(tmp_path: Path, column: str, wanted: str) -> None:
    biggest = {"DECIMAL(2)": 99, "DECIMAL(10,0)": 10**10 - 1, "DECIMAL(19,0)": 10**19 - 1}
    fits = biggest.get(column, LIMITS.get(column, 2**70) - 1) < LIMITS[wanted]
    found = findings(tmp_path, column, DTYPES[wanted])
    assert len(found) == (not fits)
    if not fits:
        assert f"column `n` is {column}, model `m` expects {wanted}: values" in found[0]
        assert f"declare it {wanted} at sql/sources/events.sql:1" in found[0]


@pytest.mark.parametrize("column", [*LIMITS, "FLOAT", "DOUBLE", "DECIMAL(38,2)"])
@pytest.mark.parametrize("tensor", ["float16", "float64"])
def test_rounding_is_no_finding(tmp_path: Path, column: str, tensor: str) -> None:
    assert findings(tmp_path, column, tensor) == []


@pytest.mark.parametrize(
    ("column", "comment", "mode", "safe"),
    [
        ("BIGINT", "a device; range 0..2147483647", "", True),
        ("BIGINT", "range -2147483648..2147483647; required", "", True),
        ("BIGINT", "range 0..2147483648", "", False),
        ("BIGINT", "range 0..", "", False),
        ("BIGINT", "one of 1, 2, 3000000000", "", False),
        ("BIGINT", "one of 1, 2, 3", "", True),
        ("BIGINT", "range 0..9; range ..3000000000", "", True),
        ("BIGINT", "range 0..9", "off", False),
        ("DOUBLE", "range 0..9", "", False),
        ("DOUBLE", "one of 0, 1.0, 2", "", True),
        ("DOUBLE", "one of 0, 1.5", "", False),
        ("DECIMAL(10,2)", "one of 1, 2", "", True),
        ("DECIMAL(30,0)", "range 0..100", "", True),
        ("BIGINT", "required", "", False),
    ],
)
def test_a_rule_makes_it_safe(tmp_path: Path, column: str, comment: str, mode: str, safe: bool) -> None:  # noqa: FBT001 - a case
    assert len(findings(tmp_path, column, "int32", comment, mode=mode)) == (not safe)


@pytest.mark.parametrize(("view", "known"), VIEWS.items())
def test_a_column_is_followed_through_views(tmp_path: Path, view: str, known: bool) -> None:  # noqa: FBT001 - a case
    """What an expression gives is for Flink to say, when it plans."""
    assert len(findings(tmp_path, "BIGINT", "int32", view=view)) == known


def test_a_cast_makes_it_safe(tmp_path: Path) -> None:
    assert findings(tmp_path / "a", "BIGINT", "int32", view="SELECT CAST(n AS INT) AS n FROM events") == []
    found = findings(tmp_path / "b", "STRING", "int32", view="SELECT CAST(n AS BIGINT) AS n FROM events")
    assert (
        "column `n` is BIGINT, model `m` expects INT: values beyond -2147483648 to 2147483647 would be refus"
        in found[0]
    )


def test_text_for_a_number_is_found_without_a_jvm(tmp_path: Path) -> None:
    [found] = findings(tmp_path, "STRING", "int32")
    assert "column `n` is STRING, model `m` expects INT" in found


def test_a_decimal_is_exact() -> None:
    assert nearest(Fraction(Decimal("65519.99")), "float16") == 65504
    assert nearest(Fraction(65520), "float16") is None
