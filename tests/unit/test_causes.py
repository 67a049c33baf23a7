"""The cause of a failure, from texts that name it in many ways."""

from __future__ import annotations

import pytest

from pyflink_jobs.causes import WORKER_ENDED, find_causes, summarize

FRAME = "\n\tat org.example.Class.method(Class.java:1)\n\t... 3 more"
PYTHON = (
    "java.lang.RuntimeException: Error received from SDK harness: Traceback (most recent call last):\n"
    '  File "pyflink/fn_execution/beam/beam_operations.py", line 1, in create\n'
    "    import psutil\n"
    "{}\n"
    f"{FRAME}\nCaused by: java.lang.IllegalStateException: closed{FRAME}\n"
)


START = (
    "java.lang.RuntimeException: Failed to create stage bundle factory! INFO:root:Initializing\n{}\n"
    f"{FRAME}\nCaused by: java.lang.IllegalStateException: Process died with exit code 0{FRAME}"
)


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("", "no reason given"),
        ("no Java at all", "no Java at all"),
        (f"java.io.IOException: gone{FRAME}", "gone"),
        (f"a.BException: outer{FRAME}\nCaused by: c.DError: inner.{FRAME}", "outer: inner"),
        (f"a.BException: c.DError: inner{FRAME}\nCaused by: c.DError: inner{FRAME}", "inner"),
        (
            f"java.util.concurrent.ExecutionException: x{FRAME}\nCaused by: c.DException: the word Exception{FRAME}",
            "the word Exception",
        ),
        (
            f"a.BException: Failed to close remote bundle{FRAME}\nCaused by: java.lang.StackOverflowError{FRAME}",
            "StackOverflowError",
        ),
        (f"a.BException: Job execution failed.{FRAME}", "Job execution failed"),
        (f"a.BException: {'far too long, ' * 400}{FRAME}", None),
        (f"java.lang.IllegalStateException: Process died with exit code 137{FRAME}", WORKER_ENDED),
        (START.format("Illegal instruction"), "a Python worker does not start: Illegal instruction"),
        (START.format(""), WORKER_ENDED),
        (f"x.y.StatusRuntimeException: UNAVAILABLE: Network closed for unknown reason{FRAME}", WORKER_ENDED),
        (
            f"a.BException: topic gone{FRAME}\n\tSuppressed: x.StatusRuntimeException: CANCELLED: cancelled\n\t{FRAME}",
            "topic gone",
        ),
    ],
)
def test_java(trace: str, reason: str | None) -> None:
    found = summarize(trace)
    assert found == reason if reason else len(found) <= 400
    assert "\n" not in found


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        ("ValueError: bad", "ValueError: bad"),
        ("ValueError", "ValueError"),
        ("my.package.ChurnError: two\nlines\n\n  and more", "ChurnError: two lines and more"),
        ("udfs.scoring.onnx_files.ModelFileError: m.onnx cannot be read: gone", "m.onnx cannot be read: gone"),
        (
            "onnxruntime.capi.x.Fail: [ONNXRuntimeError] : 1 : FAIL : Exception: it",
            "Fail: [ONNXRuntimeError] : 1 : FAIL : Exception: it",
        ),
        ("ImportError: numpy.core.multiarray failed to import", "ImportError: numpy.core.multiarray failed to import"),
    ],
)
def test_python(raised: str, reason: str) -> None:
    assert summarize(PYTHON.format(raised)) == reason


def test_the_place_is_that_of_a_users_own_code() -> None:
    frames = [
        "/opt/venv/lib/python3.11/site-packages/pyflink/fn_execution/table/operations.py",
        "/tmp/python-dist-1/python-files/blob_p-2/churn.py",  # noqa: S108 - where Flink unpacks python.files
        "/usr/lib/python3.11/json/decoder.py",
    ]
    lines = "\n".join(f'  File "{file}", line {n}, in function_{n}' for n, file in enumerate(frames, 1))
    trace = PYTHON.replace("{}", f"{lines}\njson.decoder.JSONDecodeError: Expecting value")
    assert summarize(trace) == (
        "JSONDecodeError: Expecting value (/tmp/python-dist-1/python-files/blob_p-2/churn.py, line 2, in function_2)"
    )


def test_a_module_that_is_missing_where_no_path_is_known() -> None:
    found = summarize(PYTHON.format("ModuleNotFoundError: No module named 'psutil'"))
    assert found.startswith("the workers' Python has no module `psutil`: install it there")


def test_the_causes_are_in_the_order_of_the_trace() -> None:
    trace = (
        f"An error occurred while calling o1.get.\n: a.BException: c.DError: inner{FRAME}\nCaused by: c.DError: inner"
    )
    assert [(cause.cls, cause.text) for cause in find_causes(trace)] == [
        ("a.BException", "inner"),
        ("c.DError", "inner"),
    ]


EMBEDDED = """org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy
\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handle(ExecutionFailureHandler.java:180)
Caused by: pemja.core.PythonException: <class '{cls}'>: {text}
\tat {frame}
\tat /opt/venv/lib/python3.11/site-packages/pyflink/fn_execution/table/operations.open(operations.py:119)
\tat pemja.core.PythonInterpreter.invokeMethodNoArgs(Native Method)
\tat pemja.core.PythonInterpreter.invokeMethod(PythonInterpreter.java:113)
"""


@pytest.mark.parametrize(
    ("cls", "text", "frame", "said"),
    [
        (
            "udfs.scoring.onnx_files.ModelFileError",
            "m.onnx is not the file that model m, version 1, was planned with",
            "/opt/venv/lib/python3.11/site-packages/udfs/scoring/verified_files.verified(verified_files.py:41)",
            "m.onnx is not the file that model m, version 1, was planned with",
        ),
        (
            "ZeroDivisionError",
            "division by zero",
            "/work/functions/geo.kilometres(geo.py:7)",
            "ZeroDivisionError: division by zero (/work/functions/geo.py, line 7, in kilometres)",
        ),
        (
            "ModuleNotFoundError",
            "No module named 'pemja'",
            "<string>.<module>(<string>:1)",
            (
                "the Python inside Flink's JVM has no module `pemja`: name the folder of the workers' packages in "
                "python.pythonpath, or in PYTHONPATH of the TaskManagers; a module of your own belongs in python.files"
            ),
        ),
    ],
)
def test_errors_of_python_inside_the_jvm(cls: str, text: str, frame: str, said: str) -> None:
    assert summarize(EMBEDDED.format(cls=cls, text=text, frame=frame)) == said
