"""Queries whose rows are new ones alone, by their text: those for which the planner need not be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import levels
from pyflink_jobs.parsing.option import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["may_change"]

_WORDS = ("GROUP", "DISTINCT", "JOIN", "INTERSECT", "EXCEPT", "EXISTS", "LIMIT", "FETCH", "FROM_CHANGELOG")
_RANKS = ("ROW_NUMBER", "RANK", "DENSE_RANK")
_ONLY_NEW = ("kafka", "datagen", "filesystem", "kinesis")
_CHANGELOGS = ("debezium", "canal", "maxwell", "ogg")
_TEMPORAL = ("FOR", "SYSTEM_TIME", "AS", "OF")
_WINDOWS = ("TUMBLE", "HOP", "CUMULATE", "SESSION")
_BOUNDS = {"window_start", "window_end"}


def may_change(read: Statement, created: Mapping[str, Statement]) -> bool:
    """Return whether rows of a statement may be updated or deleted later, as far as its text says.

    `created` are the statements that it may read, by name. The table that a temporal join looks up may change: a row
    that has found its match keeps it.
    """
    if read.kind == "CREATE TABLE":
        return _table_may_change(read)
    if read.kind in ("CREATE MODEL", "CREATE FUNCTION"):
        return False
    tokens = _without_lookups(read.tokens)
    words = tokens if not _is_of_windows(tokens) else [token for token in tokens if not token.says("GROUP")]
    if any(token.says(*_WORDS, *_RANKS) or _compares(words, index) for index, token in enumerate(words)):
        return True
    pairs = zip(tokens, [*tokens[1:], None], strict=True)
    read_from = {token.text for token, after in pairs if token.is_identifier and not (after and after.says("."))}
    names = read_from & set(created) - {read.name}
    return any(may_change(created[name], created) for name in names)


def _table_may_change(table: Statement) -> bool:
    options = {key: option.value for key, option in read_options(table).items()}
    formats = options.get("format", "") + options.get("value.format", "")
    return options.get("connector") not in _ONLY_NEW or any(name in formats for name in _CHANGELOGS)


def _without_lookups(tokens: Sequence[Token]) -> list[Token]:
    """Leave out `JOIN t FOR SYSTEM_TIME AS OF`, in which `t` may be `c.d.t`."""
    left: list[Token] = []
    index = 0
    while index < len(tokens):
        end = index + 1
        if tokens[index].says("JOIN"):
            while end < len(tokens) and (tokens[end].kind == "name" or not tokens[end].says("FOR", "ON", "(", "JOIN")):
                end += 1
            following = tokens[end : end + len(_TEMPORAL)]
            if len(following) == len(_TEMPORAL) and all(t.says(w) for t, w in zip(following, _TEMPORAL, strict=True)):
                index = end + len(_TEMPORAL)
                continue
            end = index + 1
        left += tokens[index:end]
        index = end
    return left


def _is_of_windows(tokens: Sequence[Token]) -> bool:
    """Return whether the only GROUP BY is by a window's bounds: `FROM TABLE(HOP(...)) GROUP BY window_start, ...`.

    Flink's older `GROUP BY TUMBLE(...)` gives updates where the configuration asks for early results.
    """
    depths = [level for _, level in levels(tokens)]
    groups = [index for index, token in enumerate(tokens) if token.says("GROUP")]
    if len(groups) != 1:
        return False
    [group] = groups
    keys = {key.text for key in tokens[group:] if key.is_identifier}
    for index, token in enumerate(tokens[:group]):
        says = [word.text.upper() for word in tokens[index : index + 4]]
        if token.says("FROM") and depths[index] == depths[group] and says[1:3] == ["TABLE", "("]:
            return says[3] in _WINDOWS and keys >= _BOUNDS
    return False


def _compares(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a token stands for a comparison of all rows: `IN (SELECT ...)`, and UNION without ALL."""
    after = [*tokens[index + 1 : index + 3], None, None]
    if tokens[index].says("UNION"):
        return after[0] is None or not after[0].says("ALL")
    return tokens[index].says("IN") and after[1] is not None and after[1].says("SELECT", "WITH", "TABLE")
