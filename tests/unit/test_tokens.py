from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.errors import Place, SqlError
from pyflink_jobs.parsing.tokens import tokenize

PLACE = Place(Path("a.sql"))


def texts(sql: str) -> list[str]:
    return [token.text for token in tokenize(sql, PLACE)]


def test_strings_comments_and_quoted_names_are_no_words() -> None:
    sql = "SELECT 'it''s; ML_PREDICT(' AS `a``b` -- ML_PREDICT(\n/* ML_PREDICT( */ FROM t"
    assert texts(sql) == ["SELECT", "it's; ML_PREDICT(", "AS", "a`b", "FROM", "t"]
    assert [token.kind for token in tokenize(sql, PLACE)] == ["word", "string", "word", "name", "word", "word"]


@pytest.mark.parametrize("between", [" ", "\n  ", " /* a comment */ ", " -- a comment\n"])
@pytest.mark.parametrize(
    "words", ["GROUP BY", "order by", "Partition By", "PRIMARY KEY", "GROUPING SETS", "DOUBLE PRECISION", "SIMILAR TO"]
)
def test_each_word_is_a_token_whatever_is_between_them(words: str, between: str) -> None:
    assert texts(f"a {words.replace(' ', between)} b") == ["a", *words.split(), "b"]


def test_offsets_cut_the_token_out_of_the_text() -> None:
    sql = "SELECT `é 漢`, 'x' FROM t"
    assert [sql[t.start : t.end] for t in tokenize(sql, PLACE)] == ["SELECT", "`é 漢`", ",", "'x'", "FROM", "t"]


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT 'abc", 1, 8),
        ("SELECT 'a''b'\n, 'c", 2, 3),
        ("SELECT a\nFROM `b", 2, 6),
        ("-- it's fine\nSELECT 1 /* no end", 2, 10),
    ],
)
def test_what_is_never_closed_is_named_where_it_opens(sql: str, line: int, column: int) -> None:
    with pytest.raises(SqlError) as caught:
        tokenize(sql, PLACE)
    assert caught.value.findings[0].place == Place(Path("a.sql"), line, column)


LITERAL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
PIECES = st.lists(
    st.one_of(
        LITERAL.map(lambda text: ("string", text, "'" + text.replace("'", "''") + "'")),
        LITERAL.filter(bool).map(lambda text: ("name", text, "`" + text.replace("`", "``") + "`")),
        st.sampled_from(["SELECT", "FROM", "ML_PREDICT", "a", "b1"]).map(lambda word: ("word", word, word)),
    ),
    max_size=8,
)


@given(PIECES, st.sampled_from([" ", "\n", " -- ' ` /*\n", " /* ' ` -- */ "]))
def test_any_string_and_name_comes_back_as_it_was_quoted(pieces: list[tuple[str, str, str]], between: str) -> None:
    tokens = tokenize(between.join(quoted for _, _, quoted in pieces), PLACE)
    assert [(token.kind, token.text) for token in tokens] == [(kind, text) for kind, text, _ in pieces]
