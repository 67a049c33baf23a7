"""Rules in a column's COMMENT: which are read, what becomes of them, and which mistakes are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.planning.guarded import GuardedSource, guard
from pyflink_jobs.planning.quarantine_sql import broken_insert, unknown_columns
from pyflink_jobs.project.sqlfile import split
from tests.projects import make_project

if TYPE_CHECKING:
    from pyflink_jobs.planning.rules import Rule

TABLE = """-- Events.
CREATE TABLE events (
  id     BIGINT COMMENT 'required',
  delay  FLOAT  COMMENT '{}',   -- (a comment, with > and ,
  place  STRING COMMENT '{}',
  parts  ROW<a ARRAY<INT>, b MAP<STRING, INT>>,
  at     AS CASE WHEN delay < 5 THEN TO_TIMESTAMP_LTZ(id, 3) END,
  WATERMARK FOR at AS at - INTERVAL '5' SECOND  -- last
) WITH ('connector' = 'kafka', 'topic' = 'events')"""


def guarded(delay: str = "", place: str = "") -> tuple[GuardedSource | None, list[str]]:
    text = TABLE.format(*(comment.replace("'", "''") for comment in (delay, place)))
    found, findings = guard(split(text, Path("events.sql"))[0])
    return found, [str(finding) for finding in findings]


def rules(delay: str = "", place: str = "") -> list[Rule]:
    found, findings = guarded(delay, place)
    assert findings == []
    assert found is not None
    return [rule for rule in found.rules if rule.column != "id"]


@pytest.mark.parametrize(
    ("comment", "holds"),
    [
        ("minutes; range -1.5..2e3", "(`delay` IS NULL OR (`delay` >= -1.5 AND `delay` <= 2e3))"),
        ("range 0..", "(`delay` IS NULL OR (`delay` >= 0))"),
        ("Range ..10; minutes", "(`delay` IS NULL OR (`delay` <= 10))"),
        ("one of 1, 2.5", "(`delay` IS NULL OR (`delay` IN (1, 2.5)))"),
        ("required", "`delay` IS NOT NULL"),
    ],
)
def test_rules_of_numbers(comment: str, holds: str) -> None:
    assert [rule.holds for rule in rules(delay=comment)] == [holds]


@pytest.mark.parametrize(
    ("comment", "holds"),
    [
        ("one of a, it's", "(`place` IS NULL OR (`place` IN ('a', 'it''s')))"),
        ("max length 3", "(`place` IS NULL OR (CHAR_LENGTH(`place`) <= 3))"),
        ("airport; pattern [A-Z]{3}; or x", "(`place` IS NULL OR (REGEXP(`place`, '^(?:[A-Z]{3}; or x)$')))"),
    ],
)
def test_rules_of_text(comment: str, holds: str) -> None:
    assert [rule.holds for rule in rules(place=comment)] == [holds]


def test_several_rules_stand_in_order() -> None:
    found = rules(delay="minutes, negative when early; required; range -120..2000")
    assert [rule.holds for rule in found] == ["`delay` IS NOT NULL", found[1].holds]
    assert found[1].broken == "'delay is ' || CAST(`delay` AS STRING) || ', expected -120 to 2000'"


@pytest.mark.parametrize(
    ("delay", "place", "words"),
    [
        ("requierd", "", "events.sql:4:25: column `delay`: `requierd`: it is not a rule's word"),
        ("minutes; rnage 1..2", "", "`rnage 1..2`: it is not a rule's word"),
        ("range 5", "", "`range 5`: two numbers are expected, or one"),
        ("range ..", "", "two numbers are expected"),
        ("range 5..1", "", "5 is above 1"),
        ("required always", "", "nothing may follow"),
        ("one of a, b", "", "a is no number"),
        ("max length 5", "", "the column is FLOAT, the rule is for text"),
        (
            "",
            "range 1..2",
            "events.sql:5:25: column `place`: `range 1..2`: the column is STRING, the rule is for numbers",
        ),
        ("", "max length x", "a number is expected"),
        ("", "pattern [", "not a regular expression"),
        ("", "one of a,,b", "values with commas between them are expected"),
    ],
)
def test_mistakes_are_found_where_they_are(delay: str, place: str, words: str) -> None:
    found, findings = guarded(delay, place)
    assert found is None
    assert len(findings) == 1
    assert words in findings[0]


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz :,-()0123456789", max_size=60))
def test_a_description_is_a_rule_a_finding_or_nothing(comment: str) -> None:
    found, findings = guarded(delay=comment)
    assert (found is None) == bool(findings)


def test_a_source_without_rules_is_left_alone() -> None:
    text = "CREATE TABLE t (a INT COMMENT 'minutes', b INT) WITH ('connector' = 'kafka')"
    assert guard(split(text, Path("t.sql"))[0]) == (None, [])


def test_a_versioned_table_cannot_have_rules() -> None:
    text = "CREATE TABLE t (a INT COMMENT 'required') WITH ('connector' = 'upsert-kafka')"
    found, (finding,) = guard(split(text, Path("t.sql"))[0])
    assert found is None
    assert "`t` is a versioned table" in str(finding)


def test_the_table_that_reads_everything_keeps_its_lines() -> None:
    found, _ = guarded(delay="range 0..")
    assert found is not None
    before, after = TABLE.format("range 0..", "").split("\n")[1:], found.table_sql.split("\n")
    assert after[0] == before[0].replace("events", "`events_unchecked`")
    changed = [number for number, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert changed == [0, 6]
    assert after[6].startswith("  WATERMARK FOR at AS at - INTERVAL '5' SECOND, `_topic` STRING METADATA FROM 'topic'")


def test_the_sql_is_readable() -> None:
    found, _ = guarded(delay="range 0..9")
    assert found is not None
    assert (
        found.view_sql
        == """\
SELECT `id`, `delay`, `place`, `parts`, `at`
FROM `events_unchecked`
WHERE `id` IS NOT NULL
  AND (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9))"""
    )
    assert (
        broken_insert(found, "score", ["source", "detail", "offset", "record", "model"])
        == """\
INSERT INTO `quarantine` (`source`, `detail`, `offset`, `record`, `model`)
SELECT
  'events' AS `source`,
  CONCAT_WS('; ',
    CASE WHEN NOT `id` IS NOT NULL THEN 'id is NULL, expected a value' END,
    CASE WHEN NOT (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9)) THEN 'delay is ' || CAST(`delay` AS STRING) || \
', expected 0 to 9' END) AS `detail`,
  `_offset` AS `offset`,
  JSON_OBJECT('id' VALUE `id`, 'delay' VALUE `delay`, 'place' VALUE `place`, \
'parts' VALUE CAST(`parts` AS STRING)) AS `record`,
  CAST(NULL AS STRING) AS `model`
FROM `events_unchecked`
WHERE NOT (
  `id` IS NOT NULL
  AND (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9)))"""
    )


def test_rules_need_a_quarantine(tmp_path: Path) -> None:
    source = "CREATE TABLE t (a INT COMMENT 'required') WITH ('connector' = 'kafka')"
    sink = "CREATE TABLE quarantine (reason STRING) WITH ('connector' = 'kafka')"
    (finding,) = declare(make_project(tmp_path / "without", {"sources/t": source})).findings
    assert "`t` has rules, but there is no table `quarantine`" in str(finding)
    assert str(finding.place) == "sql/sources/t.sql:1:1"
    declared = declare(make_project(tmp_path / "with", {"sources/t": source, "sinks/quarantine": sink}))
    assert declared.findings == []
    assert [*declared.guarded] == ["t"]


def test_a_column_of_quarantine_that_no_record_has_is_found() -> None:
    (statement,) = split("CREATE TABLE quarantine (reasons STRING)", Path("sql/sinks/quarantine.sql"))
    (finding,) = unknown_columns(statement, ["reason", "reasons"])
    assert "table `quarantine` gets no column `reasons`" in str(finding)
    assert finding.ways_out == ("write `reason`",)
