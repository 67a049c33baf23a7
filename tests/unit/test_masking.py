import json
from contextlib import redirect_stdout
from io import StringIO
from urllib.parse import quote

import click
import pytest

from pyflink_jobs.errors import Finding, MillstreamError
from pyflink_jobs.masking import masked, masked_options, masked_output, names_secret, remember_options

SECRETS = [
    "DB_PASSWORD",
    "PGPASSWD",
    "passphrase",
    "CLIENT_SECRET",
    "api-key",
    "S3_ACCESS_KEY",
    "s3.secret-key",
    "fs.azure.account.key.x",
    "GITHUB_TOKEN",
    "properties.sasl.jaas.config",
    "properties.ssl.key.password",
    "avro-confluent.basic-auth.user-info",
    "MILLSTREAM_PII_KEY",
    "openai.api-key",
    "credentials",
]
OTHERS = [
    "topic",
    "properties.bootstrap.servers",
    "TOKEN_FILE",
    "properties.ssl.truststore.location",
    "sasl.oauthbearer.token.endpoint.url",
    "PATH",
    "PWD",
    "key.format",
    "key.fields",
    "primary-key",
    "scan.startup.mode",
    "max_tokens.count",
    "password.type",
]


@pytest.mark.parametrize("name", SECRETS)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_no_secrets(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize("form", [str, quote, lambda s: json.dumps(s)[1:-1], lambda s: s.replace("'", "''")])
def test_each_form_of_a_secret_is_masked(form: object) -> None:
    secret = 'it\'s a "secret": of mine/yours'  # noqa: S105 - nobody's
    remember_options({"SOME_PASSWORD": secret})
    assert callable(form)
    assert masked(f"before {form(secret)} after") == "before *** after"


def test_a_password_within_another_value_is_masked() -> None:
    remember_options({"jdbc.url": "jdbc:postgresql://h/db?user=me&password=inner-secret-1&ssl=true"})
    remember_options({"x.sasl.jaas.config": 'Module required username="me" password="inner-secret-2";'})
    remember_options({"database": "postgres://me:inner-secret-3@h:5432/db"})
    for number in (1, 2, 3):
        assert masked(f"it is inner-secret-{number}.") == "it is ***."


def test_a_password_in_a_url_is_masked_that_nobody_knows() -> None:
    assert masked("no answer at https://me:un:known@h:8081/team") == "no answer at https://me:***@h:8081/team"
    assert masked("https://h:8081/team/me@home") == "https://h:8081/team/me@home"


def test_a_short_secret_is_masked_as_a_word_and_in_its_option() -> None:
    remember_options({"A_PASSWORD": "abcd"})
    assert masked("abcd abcde") == "*** abcde"
    assert masked_options("WITH ('a.password' = 'x', 'topic' = 'x')") == "WITH ('a.password' = '***', 'topic' = 'x')"


def test_findings_errors_and_what_is_printed_have_no_secret() -> None:
    remember_options({"B_SECRET": "a-secret-of-b"})
    finding = Finding("it is a-secret-of-b", facts=("'c.password' = 'plain'",), fixes=("write a-secret-of-b",))
    assert str(finding) == "it is ***\n  'c.password' = '***'\n  write ***"
    assert "a-secret" not in json.dumps(finding.as_json())
    error = MillstreamError("a-secret-of-b", detail="at a-secret-of-b")
    assert (str(error), error.detail) == ("***", "at ***")
    with redirect_stdout(StringIO()) as out, masked_output():
        click.echo("told: a-secret-of-b")
    assert out.getvalue() == "told: ***\n"
