"""Rules in a column's COMMENT: which are read, what they become, and which mistakes are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.checks.source_rules import validated_sources
from pyflink_jobs.planning.companions.quarantine_sql import invalid_insert
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.system_tables import QUARANTINE_COLUMNS, unknown_columns
from tests.projects import make_project

if TYPE_CHECKING:
    from pyflink_jobs.planning.rewrites.column_rules import Rule
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

TABLE = """-- Events.
CREATE TABLE events (
  id     BIGINT COMMENT 'required',
  delay  FLOAT  COMMENT '{}',   -- (a comment, with > and ,
  place  STRING COMMENT '{}',
  parts  ROW<a ARRAY<INT>, b MAP<STRING, INT>>,
  at     AS CASE WHEN delay < 5 THEN TO_TIMESTAMP_LTZ(id, 3) END,
  WATERMARK FOR at AS at - INTERVAL '5' SECOND  -- last
) WITH ('connector' = 'kafka', 'topic' = 'events', 'format' = 'json'{})"""


def read(text: str, *, quarantined: bool = True) -> tuple[ValidatedSource | None, list[str]]:
    names: set[str | None] = {"quarantine"} if quarantined else set()
    found, findings = validated_sources(split(text, Path("events.sql")), names)
    return next(iter(found.values()), None), [str(finding) for finding in findings]


def validated(delay: str = "", place: str = "", options: str = "") -> tuple[ValidatedSource | None, list[str]]:
    return read(TABLE.format(*(comment.replace("'", "''") for comment in (delay, place)), options))


def rules(delay: str = "", place: str = "") -> list[Rule]:
    found, findings = validated(delay, place)
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
        ("airport; pattern [A-Z]{3}; or x", r"(`place` IS NULL OR (REGEXP(`place`, '\A(?:[A-Z]{3}; or x)\z')))"),
    ],
)
def test_rules_of_text(comment: str, holds: str) -> None:
    assert [rule.holds for rule in rules(place=comment)] == [holds]


def test_several_rules_keep_their_order() -> None:
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
        ("one of a, b", "", "a is not a number"),
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
    found, findings = validated(delay, place)
    assert found is None
    assert len(findings) == 1
    assert words in findings[0]


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz :,-()0123456789", max_size=60))
def test_a_description_is_a_rule_a_finding_or_nothing(comment: str) -> None:
    found, findings = validated(delay=comment)
    assert (found is None) == bool(findings)


def test_a_source_without_rules_and_quarantine_is_left_alone() -> None:
    text = "CREATE TABLE t (a INT COMMENT 'minutes', b INT) WITH ('connector' = 'kafka', 'format' = 'json')"
    assert read(text, quarantined=False) == (None, [])
    found, _ = read(text)
    assert found is not None
    assert found.mode == "full"
    assert read(text.replace("'kafka'", "'upsert-kafka'")) == (None, [])


def test_a_versioned_table_cannot_have_rules() -> None:
    text = "CREATE TABLE t (a INT COMMENT 'required') WITH ('connector' = 'upsert-kafka')"
    found, (finding,) = read(text)
    assert found is None
    assert "`t` has rules, but it is a versioned table" in finding


@pytest.mark.parametrize(
    ("place", "options", "words"),
    [
        ("", ", 'quarantine' = 'ful'", "events.sql:9:86: there is no 'quarantine' = 'ful'"),
        ("pii mask", ", 'quarantine' = 'full'", "would keep the personal data of `events`"),
        ("", ", 'json.ignore-parse-errors' = 'true'", "events.sql:9:71: 'json.ignore-parse-errors' drops records"),
        ("pii hsah", "", "`pii hsah`: one of hash, mask, drop is expected, once"),
        ("pii", "", "one of hash, mask, drop is expected"),
        ("pii hash", "", "needs a key of at least 16 characters"),
    ],
)
def test_what_cannot_be_kept_is_found(place: str, options: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILLSTREAM_PII_KEY", raising=False)
    found, findings = validated(place=place, options=options)
    assert found is None
    assert [words in finding for finding in findings] == [True]


def test_numbers_can_be_dropped_not_hashed() -> None:
    _, (finding,) = validated(delay="pii mask")
    assert "column `delay` is FLOAT, `pii mask` is for text" in finding
    assert validated(delay="pii drop")[1] == []


def test_personal_data_is_in_no_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLSTREAM_PII_KEY", "0123456789abcdef")
    found, findings = validated(delay="range 0..9; pii drop", place="one of a, b; pii hash")
    assert findings == []
    assert found is not None
    assert found.mode == "pointer"
    assert found.view_sql.startswith("SELECT `id`, pii_hash(`place`) AS `place`, `parts`, `at`\nFROM")
    insert = invalid_insert(found, "score", ["detail", "record", "columns"])
    assert "'place is a value' || '...'" not in insert
    for shown in ("CAST(`delay` AS STRING)", "SUBSTRING(`place`", "'place' VALUE", "'delay' VALUE", "`_record`"):
        assert shown not in insert
    assert "0123456789abcdef" not in found.table_sql + found.view_sql + insert


def test_the_table_that_reads_everything_keeps_its_lines() -> None:
    found, _ = validated(
        delay="range 0..", options=", 'quarantine' = 'pointer', 'json.timestamp-format.standard' = 'SQL'"
    )
    assert found is not None
    before, after = TABLE.format("range 0..", "", "").split("\n")[1:], found.table_sql.split("\n")
    assert after[0] == before[0].replace("events", "`events_unchecked`")
    changed = [number for number, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert changed == [0, 6, 7]
    assert after[6].startswith(
        "  WATERMARK FOR at AS CASE WHEN `_error` IS NULL AND `id` IS NOT NULL AND (`delay` IS NULL"
    )
    assert "THEN at - INTERVAL '5' SECOND END, `_partition` INT METADATA FROM 'partition' VIRTUAL, " in after[6]
    assert after[7] == (
        ") WITH ('properties.isolation.level' = 'read_committed', 'connector' = 'kafka', 'topic' = 'events', "
        "'format' = 'checked-json',  'checked-json.timestamp-format.standard' = 'SQL')"
    )


def test_avro_is_checked_too_and_keys_keep_their_options() -> None:
    avro = ", 'quarantine' = 'pointer', 'avro.encoding' = 'binary', 'key.avro.encoding' = 'binary'"
    found, _ = read(TABLE.format("range 0..", "", avro).replace("'format' = 'json'", "'format' = 'avro'"))
    assert found is not None
    sql = found.table_sql
    assert "'format' = 'checked-avro'" in sql
    assert "'checked-avro.encoding' = 'binary', 'key.avro.encoding' = 'binary'" in sql


def test_off_is_the_table_as_it_is() -> None:
    found, _ = validated(delay="range 0..", options=", 'quarantine' = 'off'")
    assert found is not None
    assert found.table_sql == TABLE.format("range 0..", "", "").partition("\n")[2].replace(
        "TABLE events", "TABLE `events_unchecked`"
    )
    assert found.view_sql == "SELECT `id`, `delay`, `place`, `parts`, `at`\nFROM `events_unchecked`"


def test_a_source_may_have_its_own_columns_of_where_a_record_stands() -> None:
    text = (
        "CREATE TABLE t (a INT COMMENT 'required', place BIGINT METADATA FROM 'offset' VIRTUAL, "
        "`partition` INT METADATA VIRTUAL) WITH ('connector' = 'kafka', 'value.format' = 'json')"
    )
    found, _ = read(text)
    assert found is not None
    assert found.metadata["offset"] == "`place`"
    assert found.metadata["partition"] == "`partition`"
    assert found.table_sql.count("'offset'") == 1
    assert "`_partition`" not in found.table_sql


def test_the_sql_is_readable() -> None:
    found, _ = validated(delay="range 0..9", options=", 'quarantine' = 'pointer'")
    assert found is not None
    insert = invalid_insert(found, "score", ["source", "reason", "detail", "offset", "columns", "model"])
    golden = Path(__file__).with_name("validated_source.sql").read_text()
    texts = (found.table_sql, found.checked_sql, found.view_sql, insert)
    assert "".join(f"{text};\n\n" for text in texts) == f"{golden}\n"


def test_rules_need_a_quarantine(tmp_path: Path) -> None:
    source = "CREATE TABLE t (a INT COMMENT 'required') WITH ('connector' = 'kafka')"
    sink = "CREATE TABLE quarantine (reason STRING) WITH ('connector' = 'kafka')"
    (finding,) = declare(make_project(tmp_path / "without", {"sources/t": source})).findings
    assert "`t` has rules for its records, but there is no table `quarantine`" in str(finding)
    assert str(finding.place) == "sql/sources/t.sql:1:1"
    declared = declare(make_project(tmp_path / "with", {"sources/t": source, "sinks/quarantine": sink}))
    assert declared.findings == []
    assert [*declared.validated] == ["t"]


def test_a_column_of_quarantine_that_no_record_has_is_found() -> None:
    (statement,) = split("CREATE TABLE quarantine (reasons STRING)", Path("sql/sinks/quarantine.sql"))
    (finding,) = unknown_columns(statement, ["reason", "reasons"], QUARANTINE_COLUMNS)
    assert "table `quarantine` gets no column `reasons`" in str(finding)
    assert finding.fixes == ("write `reason`",)
