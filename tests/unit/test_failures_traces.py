"""What a stack trace of Flink says that a job failed at, and the words for it."""

from __future__ import annotations

import pytest

from pyflink_jobs.cluster.causes import cause

TRACE = "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy\nCaused by: {}\n"


@pytest.mark.parametrize(
    ("thrown", "words"),
    [
        ("java.lang.ArithmeticException: / by zero", "a division by 0"),
        ("java.lang.ArithmeticException: Division by zero", "a division by 0"),
        ("java.lang.NumberFormatException: Infinite or NaN", "a number that is NaN or infinite"),
        ("java.lang.NumberFormatException: For input string: '0x'", "a text that is not what it is cast to"),
        ("java.time.DateTimeException: For input string: '0x'", "a text that is not what it is cast to"),
    ],
)
def test_calls_in_sql(thrown: str, words: str) -> None:
    assert cause(TRACE.format(thrown)).endswith(f"{words}; `millstream check` shows where SQL may fail so")


def test_other_causes() -> None:
    assert "millstream check" not in cause(TRACE.format("java.io.IOException: no space left on device"))
