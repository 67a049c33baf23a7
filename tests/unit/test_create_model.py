from pathlib import Path

import pytest

from pyflink_jobs.errors import Place, SqlError
from pyflink_jobs.parsing.create_model import read_create_model
from pyflink_jobs.parsing.statements import split

SQL = """-- a model
CREATE MODEL IF NOT EXISTS `late`
INPUT (
  a FLOAT,                       -- one
  `b c` DECIMAL(5, 2) NOT NULL COMMENT 'it''s, (two)',
  d VARCHAR(10) COMMENT 'three'
)
OUTPUT (p DOUBLE PRECISION)
COMMENT 'INPUT (x INT)'
WITH (
  'provider' = 'onnx',
  'output.p' = 'probabilities[1]'
)"""


def test_columns_options_and_their_lines() -> None:
    model = read_create_model(split(SQL, Path("m.sql"))[0])
    assert model.name == "late"
    assert [(c.name, c.type, c.place.line) for c in model.inputs] == [
        ("a", "FLOAT", 4),
        ("b c", "DECIMAL(5,2)", 5),
        ("d", "VARCHAR(10)", 6),
    ]
    assert [(c.name, c.type) for c in model.outputs] == [("p", "DOUBLE")]
    assert {key: option.value for key, option in model.options.items()} == {
        "provider": "onnx",
        "output.p": "probabilities[1]",
    }
    assert model.options["output.p"].place == Place(Path("m.sql"), 12, 3)


@pytest.mark.parametrize(
    ("sql", "message", "line"),
    [
        ("CREATE MODEL m INPUT (a INT) WITH ('provider' = 'onnx')", "no OUTPUT", 1),
        ("CREATE MODEL m INPUT (a INT) OUTPUT (b INT)", "no WITH", 1),
        ("CREATE MODEL m INPUT (\na INT,\n,b INT) OUTPUT (c INT) WITH ('a' = 'b')", "column name", 1),
        ("CREATE MODEL m INPUT (a INT) OUTPUT (b INT) WITH (\nprovider = 'onnx')", "option such as", 2),
    ],
)
def test_what_cannot_be_read_is_an_error_with_a_line(sql: str, message: str, line: int) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        read_create_model(split(sql, Path("m.sql"))[0])
    assert caught.value.findings[0].place is not None
    assert caught.value.findings[0].place.line == line
