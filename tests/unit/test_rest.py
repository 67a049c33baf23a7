from __future__ import annotations

import pytest

from pyflink_jobs.rest import why

PYTHON = """java.lang.RuntimeException: Error received from SDK harness: Traceback (most recent call last):
  File "pyflink/fn_execution/beam/beam_operations.py", line 1, in create
    import psutil
ModuleNotFoundError: No module named 'psutil'

\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient.onError(FnApiControlClient.java:221)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.lang.IllegalStateException: closed
\tat org.example.Closed.close(Closed.java:1)
"""


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("", "no reason given"),
        ("java.io.IOException: gone\n\tat a.B.c(B.java:1)", "java.io.IOException: gone"),
        ("a.B: outer\n\tat a.B.c(B.java:1)\nCaused by: c.D: inner\n\tat c.D.e(D.java:2)", "c.D: inner"),
        (PYTHON, "ModuleNotFoundError: No module named 'psutil'"),
    ],
)
def test_the_innermost_cause_in_one_line(trace: str, reason: str) -> None:
    assert why(trace) == reason
