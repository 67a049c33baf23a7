"""Why Flink failed, in one paragraph: from the text of a Java stack trace, in which a Python traceback may be nested.

The causes are nested, and most only say that another failed. What a Python worker raised is the last line of a
traceback somewhere in the middle; a worker that the system ended has left none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import shorten
from typing import NamedTuple

__all__ = ["WORKER_ENDED", "Cause", "find_causes", "summarize"]

WORKER_ENDED = (
    "a Python worker ended without an error: the system may have killed it for lack of memory, or a function ended the "
    "process; what it wrote last is in the log of Flink's TaskManager"
)
"""What is known of a worker that is gone."""

_TRACEBACK = "Traceback (most recent call last):"
_CAUSE = re.compile(
    r"^(?:Caused by: |: )?(?P<cls>[\w.$]+(?:Exception|Error|Throwable))(?:: (?P<text>.*?))?"
    r"(?=\n\tat |\n\s+\.\.\. |\n*\Z)",
    re.MULTILINE | re.DOTALL,
)
_CLASS = re.compile(r"(?:[a-z]\w*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)(?:: |$)")
_PYTHON_CLASS = re.compile(r"(?P<cls>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?", re.DOTALL)
# Texts that say only that something below them failed.
_WRAPPER = re.compile(
    r"Job failed \(JobID|Job execution failed|Recovery is suppressed by |Failed to close remote bundle|"
    r"Error while waiting for BeamPythonFunctionRunner |Could not forward element to next operator|"
    r"Caught exception while processing timer|One or more fetchers have encountered exception|"
    r"SplitFetcher thread \d+ received unexpected exception|Could not execute application|Failed to execute job|"
    r"Failed to execute sql"
)
_EMPTY = ("java.lang.reflect.", "java.util.concurrent.", "java.lang.NullPointerException")
"""Classes of causes that only wrap another, or say nothing that a person could use."""
_SENTENCES = ("Exception", "RuntimeException", "Error", "IllegalArgumentException", "IllegalStateException")
"""Classes of Java itself whose texts can be read without them; "For input string: x" cannot."""
_OURS = ("udfs.", "pyflink_jobs.")
_PACKAGE = re.compile(r"(?:.*/)?(?:python3\.\d+|pyflink|apache_beam|pyarrow)/|<")
"""Begins the file of a frame that is Python's own, a package's, or of code without a file."""
_FRAME = re.compile(r'^ +File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$', re.MULTILINE)
_GROUP = "Exception Group Traceback"
_BOX = re.compile(r"^ *(?:\| ?|\+[-+ ]*(?:\d+ -+)?)")
"""What Python draws at the side of an exception group."""
_FUNCTION = re.compile(r"Instantiating python function '(?P<path>[^']+)' failed")
_HOME = re.compile(r'File "(?P<home>[^"]+)/lib/python3\.\d+/site-packages/')
_PROGRAM = re.compile(
    r'(?:Cannot run program "|pyflink-udf-runner\.sh: line \d+: )(?P<program>[^":]+)(?:".*?: error=\d+|:)'
    r",? (?P<why>[^\n]+)"
)
_COMMAND = re.compile(r"Failed to execute the command: (?P<program>\S+)")
_MODULE = re.compile(r"No module named '?(?P<module>[\w.]+)'?")
_ENDED = re.compile(
    r"StatusRuntimeException: (?:CANCELLED|UNAVAILABLE)|Process died with exit code|call already (?:closed|cancelled)"
)
_BOOT = re.compile(r"Failed to create stage bundle factory! (?P<output>.*?)(?=\n\tat |\Z)", re.DOTALL)
_ENCODING = ("encode_to_stream", "in encode_one_row")
"""Functions of PyFlink that write results for Flink's JVM."""
_CONSTANTS = re.compile(
    r"Index 0 out of bounds for length 0\n\tat org\.apache\.flink\.table\.runtime\.arrow\.ArrowWriter"
)
_EMBEDDED = re.compile(
    r"pemja\.core\.PythonException: <class '(?P<cls>[\w.]+)'>(?:: (?P<text>.*?))?(?P<frames>(?:\n\tat [^\n]*)+)",
    re.DOTALL,
)
"""An error of Python inside Flink's JVM; the first frame is the innermost."""
_EMBEDDED_FRAME = re.compile(r"\tat (?P<file>/\S+)\.(?P<function>[\w<>]+)\((?P<name>[\w.]+\.py):(?P<line>\d+)\)")
_LONGEST = 400  # characters


@dataclass(frozen=True)
class Cause:
    """One of the nested causes: its Java class, and its text, which may be empty."""

    cls: str
    text: str


def find_causes(trace: str) -> list[Cause]:
    """Return the causes of a stack trace, the deepest last; texts are without the classes of what they wrap."""
    found = []
    for match in _CAUSE.finditer(trace):
        text = (match["text"] or "").strip()
        while wrapped := _CLASS.match(text):
            text = text[wrapped.end() :]
        found.append(Cause(match["cls"], text))
    return found


def summarize(trace: str) -> str:
    """Return why something failed, in one paragraph."""
    causes = find_causes(trace)
    texts = [cause.text for cause in causes] or [trace.partition("\n\tat ")[0]]
    if embedded := _EMBEDDED.search(trace):
        found = _in_jvm(embedded)
    elif traceback := next((text for text in reversed(texts) if _TRACEBACK in text), None):
        function = _FUNCTION.search(trace)
        found = _not_loaded(function["path"], traceback) if function else _python(traceback)
    elif program := _PROGRAM.search(trace):
        found = (
            f"the workers' Python, {program['program']}, cannot be started: {program['why']}; correct the path: "
            "`python` of the target, or python.executable in the Flink configuration"
        )
    elif _CONSTANTS.search(trace):
        found = "a vectorised Python function is called with constants alone: give it at least one column"
    elif boot := _last_line(_BOOT.search(trace)):
        found = f"a Python worker does not start: {boot}"
    elif causes and _ENDED.search(f"{causes[-1].cls}: {causes[-1].text}"):
        found = WORKER_ENDED
    else:
        found = _java(causes) or texts[0] or "no reason given"
    return shorten(found, _LONGEST, placeholder=" ...")


def _last_line(boot: re.Match[str] | None) -> str:
    """Return the last line that a worker wrote while it started, without Flink's own; "" if there is none."""
    lines = boot["output"].splitlines() if boot else []
    return next((line.strip() for line in reversed(lines) if line.strip() and not line.startswith("INFO:")), "")


def _java(causes: list[Cause]) -> str:
    """Return the deepest text, with the one above: alone ("Unexpected character") it often lacks what that says."""
    said = [cause for cause in causes if not cause.cls.startswith(_EMPTY)]
    texts = list(dict.fromkeys(_with_class(cause) for cause in said if not _WRAPPER.match(cause.text)))
    texts = texts or list(dict.fromkeys(cause.text for cause in said))
    return ": ".join(text.rstrip(".") for text in texts[-2:])


def _with_class(cause: Cause) -> str:
    name = cause.cls.rpartition(".")[2]
    if not cause.text:
        return name
    return f"{name}: {cause.text}" if cause.cls.startswith("java.lang.") and name not in _SENTENCES else cause.text


class _Raised(NamedTuple):
    """A Python error: its class, its text, and the frames of its traceback."""

    cls: str
    text: str
    frames: str

    @property
    def said(self) -> str:
        """The error as Python prints it, without the module of its class."""
        name = self.cls.rpartition(".")[2]
        return f"{name}: {self.text}" if self.text else name


def _last_raised(text: str) -> _Raised | None:
    """Return the error of the last traceback in a text; None where it has none."""
    if _GROUP in text:
        text = "\n".join(_BOX.sub("", line) for line in text.split("\n"))
    traceback = text.rpartition(_TRACEBACK)[2]
    lines = traceback.strip("\n").split("\n")
    start = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    error = _PYTHON_CLASS.fullmatch("\n".join(lines[start:]).strip())
    return _Raised(error["cls"], error["text"] or "", traceback) if error else None


def _python(text: str) -> str:
    """Return what the last traceback in a text says: the error, and where it was raised if that is not Millstream."""
    error = _last_raised(text)
    if error is None:
        return text
    if missing := _missing_module(error):
        return _without(missing, text)
    if error.cls.startswith(_OURS) and error.text:
        return error.text
    place = _place(error)
    if not place and any(function in error.frames for function in _ENCODING):
        return f"a Python function returned a value that is not of its result type: {error.said}"
    return error.said + place


def _in_jvm(found: re.Match[str]) -> str:
    """Return what an error of Python inside Flink's JVM says, and where it was raised if that is not Millstream."""
    error = _Raised(found["cls"], (found["text"] or "").strip(), "")
    if missing := _missing_module(error):
        return (
            f"the Python inside Flink's JVM has no module `{missing}`: name the folder of the workers' packages in "
            "python.pythonpath, or in PYTHONPATH of the TaskManagers; a module of your own belongs in python.files"
        )
    if error.cls.startswith(_OURS) and error.text:
        return error.text
    own = [frame for frame in _EMBEDDED_FRAME.finditer(found["frames"]) if not _PACKAGE.match(frame["file"])]
    if not own:
        return error.said
    return f"{error.said} ({own[0]['file']}.py, line {own[0]['line']}, in {own[0]['function']})"


def _not_loaded(function: str, text: str) -> str:
    """Return why a function that SQL declares cannot be loaded, by the Python of the command."""
    error = _last_raised(text)
    why = text
    if error and (missing := _missing_module(error)):
        why = f"there is no module `{missing}`; a module of your own belongs in python.files"
    elif error and "_java_user_defined_function" in error.text:
        why = "it is not a function that PyFlink's udf() has made"
    elif error:
        why = error.said + _place(error)
    return f"the Python function `{function}` cannot be loaded: {why}"


def _missing_module(error: _Raised) -> str:
    if error.cls == "ModuleNotFoundError" and (found := _MODULE.match(error.text)):
        return found["module"]
    # Beam goes on without pyarrow, up to the first use.
    none = error.cls == "AttributeError" and error.text.startswith("'NoneType'")
    return "pyarrow" if none and "apache_beam/io/parquetio" in error.frames else ""


def _without(module: str, text: str) -> str:
    """Return the sentence for a worker's Python that lacks a module; a traceback names its packages' folder."""
    command, home = _COMMAND.search(text), _HOME.search(text)
    python = command["program"] if command else f"{home['home']}/bin/python" if home else ""
    return (
        f"the workers' Python{f', {python},' if python else ''} has no module `{module}`: install it there, name "
        "another Python (`python` of the target, python.executable), or send this one with the job (--ship-env); a "
        "module of your own belongs in python.files"
    )


def _place(error: _Raised) -> str:
    """Return the place of the last frame that is neither of Python's library nor of a package."""
    own = [frame for frame in _FRAME.finditer(error.frames) if not _PACKAGE.match(frame["file"])]
    if not own:
        return ""
    function = f", in {own[-1]['function']}" if own[-1]["function"] else ""
    return f" ({own[-1]['file']}, line {own[-1]['line']}{function})"
