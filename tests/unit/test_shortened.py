from pyflink_jobs.planning.flink.shortened import shortened

PLAN = """Cannot generate a valid execution plan for the given query:

LogicalSink(table=[default_catalog.default_database.o], fields=[id, y])
+- LogicalProject(id=[$0], y=[$1])
   +- LogicalFilter(condition=[>($1, 1)])
"""


def test_a_plan_is_left_out() -> None:
    assert shortened(PLAN + "\nIt is so because of that.") == (
        "Cannot generate a valid execution plan for the given query: It is so because of that."
    )


def test_what_is_known_is_a_sentence_of_ours() -> None:
    words = "This exception indicates that the query uses an unsupported SQL feature."
    assert shortened(f"{PLAN}\n{words}") == (
        "Flink has no plan for it: the query needs what Flink does not have in a stream"
    )


def test_a_long_text_ends_after_a_few_lines() -> None:
    found = shortened("word " * 1000)
    assert len(found) < 450
    assert found.endswith("word ... (all of it: --verbose)")


def test_a_computed_interval_is_a_sentence() -> None:
    text = "Conversion to relational algebra failed to preserve datatypes: validated type: RecordType(INTERVAL DAY d)"
    assert "compute a number, such as TIMESTAMPDIFF(SECOND, begun, ended)" in shortened(text)


def test_lists_of_options_are_left_out() -> None:
    text = (
        "Unable to create a sink for writing table 'default_catalog.default_database.o'.\n\nTable options are:\n\n"
        "'connector'='kafka'\n'scan.startup.mod'='x': Unsupported options found for 'kafka'.\n\nUnsupported"
        " options:\n\nscan.startup.mod\n\nSupported options:\n\nconnector\nformat"
    )
    assert shortened(text) == (
        "Unable to create a sink for writing table 'o'. Unsupported options found for 'kafka'. "
        "Unsupported options: scan.startup.mod"
    )
