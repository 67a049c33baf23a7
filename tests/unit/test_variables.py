from pathlib import Path

import pytest

from pyflink_jobs.parsing.variables import fill_in

FILE = Path("a.sql")


def test_a_value_with_a_quote_stays_one_string() -> None:
    text, findings = fill_in("WITH ('a' = 'x ${NAME} y')", FILE, {"NAME": "it's"})
    assert (text, findings) == ("WITH ('a' = 'x it''s y')", [])


@pytest.mark.parametrize(
    ("text", "exposed"),
    [
        ("CREATE TABLE t (a INT) WITH ('a.password' = '${DB_PASSWORD}')", False),
        ("CREATE TABLE t (a INT) WITH ('url' = 'jdbc:x?password=${DB_PASSWORD}')", False),
        ("INSERT INTO t SELECT a FROM u WHERE b = '${DB_PASSWORD}'", True),
        ("CREATE TABLE t (a INT, b AS MD5('${DB_PASSWORD}')) WITH ('a' = 'b')", True),
        ("SELECT 1 -- ${DB_PASSWORD}", False),
        ("SELECT '${REGION}'", False),
    ],
)
def test_a_secret_is_in_options_alone(text: str, exposed: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    _, findings = fill_in(text, FILE, {"DB_PASSWORD": "very-secret", "REGION": "eu"})
    assert bool(findings) == exposed
    for finding in findings:
        assert finding.message.startswith("DB_PASSWORD is a secret by its name, and is not in an option")
        assert "very-secret" not in str(finding)
