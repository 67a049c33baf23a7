"""Texts are built of nested items, so it is known where each item and each bracket is."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.errors import Place
from pyflink_jobs.parsing.brackets import before, closing, items_after, split, top_level
from pyflink_jobs.parsing.tokens import Token, literal, quoted, tokenize

TEXT = st.text("ab ,()[]<>'`-*/", max_size=8)
ATOM = st.one_of(
    st.sampled_from(["a", "b1", "12", "a > b", "a < b", "a >= 1", "ROW", "x => 1"]),
    TEXT.map(literal),
    TEXT.filter(bool).map(quoted),
)
BETWEEN = st.sampled_from([" ", "\n", " -- , ) ' <\n", " /* ( , ` > */ "])
FIELD = st.one_of(st.sampled_from(["INT", "a DECIMAL(5, 2)", "b STRING NOT NULL"]), TEXT.filter(bool).map(quoted))


def in_brackets(items: st.SearchStrategy[str], *brackets: str) -> st.SearchStrategy[str]:
    """Draw one or more items, with commas and comments between them, in brackets."""
    return st.builds(
        lambda pair, parts, between: between.join([pair[:-1], f"{between},".join(parts), pair[-1]]),
        st.sampled_from(brackets),
        st.lists(items, min_size=1, max_size=3),
        BETWEEN,
    )


TYPE = st.recursive(FIELD, lambda types: in_brackets(types, "ROW<>", "c MAP <>", "ARRAY<>"), max_leaves=6)
ITEM = st.recursive(st.one_of(ATOM, TYPE), lambda items: in_brackets(items, "f()", "()", "a[]"), max_leaves=10)
ITEMS = st.lists(ITEM, min_size=1, max_size=4)


def tokens_of(text: str) -> list[Token]:
    return tokenize(text, Place(Path("a.sql")))


def cut(text: str, items: list[list[Token]]) -> list[str]:
    """Return the text of each item, from its first token to its last."""
    return [text[item[0].start : item[-1].end] for item in items]


@given(ITEMS, BETWEEN)
def test_items_are_split_at_commas_outside_of_brackets_and_quotes(items: list[str], between: str) -> None:
    text = f"{between},{between}".join(items)
    tokens = tokens_of(text)
    parts = split(tokens)
    assert cut(text, parts) == items
    commas = [token for token in tokens if not any(token in part for part in parts)]
    assert [token.text for token in commas] == [","] * (len(items) - 1)


@given(ITEMS, ITEM, BETWEEN)
def test_a_bracket_closes_after_its_items(items: list[str], rest: str, between: str) -> None:
    inside = f"({between}{','.join(items)}{between})"
    tokens = tokens_of(inside + between + rest)
    end = closing(tokens, 0)
    assert end is not None
    assert tokens[end].end == len(inside)
    assert closing(tokens[:end], 0) is None


@given(ITEMS, ITEM, BETWEEN)
def test_the_items_after_a_word(items: list[str], before: str, between: str) -> None:
    text = f"f(WITH (no)){between}{before}{between}with{between}({','.join(items)}) LIKE t"
    found = items_after(tokens_of(text), "WITH")
    assert found is not None
    assert cut(text, found) == items


@given(ITEMS, ITEM, BETWEEN)
def test_the_tokens_before_a_word(items: list[str], rest: str, between: str) -> None:
    selected = f"(SELECT 1 FROM u){between}, f(FROM a), {','.join(items)}"
    tokens = tokens_of(f"{selected}{between}FROM {rest}")
    assert cut(selected, [before(tokens, "WHERE", "FROM")]) == [selected]
    assert before(tokens, "WHERE") == tokens


def test_empty_items_are_kept() -> None:
    assert [len(item) for item in split(tokens_of(", a,, b c,"))] == [0, 1, 0, 2, 0]
    assert split([]) == [[]]


def test_a_comparison_is_no_bracket() -> None:
    assert len(split(tokens_of("a < b, c > d, e <> f, `ROW` < g, h > i"))) == 5


def test_the_word_has_to_be_followed_by_a_parenthesis() -> None:
    assert items_after(tokens_of("INSERT INTO t WITH q AS (SELECT 1)"), "WITH") is None
    assert items_after(tokens_of("CREATE TABLE t (a TIMESTAMP(3) WITH LOCAL TIME ZONE) WITH"), "WITH") is None
    assert items_after(tokens_of("x (WITH (a))"), "WITH") is None


def test_the_outermost_brackets_are_at_the_top() -> None:
    words = top_level(tokens_of("SELECT f(a, (b)) FROM t GROUP /* , */ BY a[1]"))
    assert " ".join(token.text for token in words) == "SELECT f ( ) FROM t GROUP BY a [ ]"
