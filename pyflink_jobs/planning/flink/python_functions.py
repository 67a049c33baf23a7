"""CREATE FUNCTION ... LANGUAGE PYTHON: Flink imports the function when it plans, here it is imported before that."""

from __future__ import annotations

import traceback
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError, did_you_mean
from pyflink_jobs.planning.flink.execution_mode import vectorised_finding
from pyflink_jobs.project.functions import FUNCTIONS

if TYPE_CHECKING:
    from types import ModuleType

    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.statements import Statement

__all__ = ["check_function"]

_JAVA = "_java_user_defined_function"  # what Flink asks a function for


def check_function(statement: Statement, *, in_jvm: bool) -> None:
    """Raise SqlError for a Python function that cannot be imported, or, `in_jvm`, for one of batches.

    Functions in another language are passed over.
    """
    tokens = statement.tokens
    if not any(a.says("LANGUAGE") and b.says("PYTHON") for a, b in pairwise(tokens)):
        return
    named = next((b for a, b in pairwise(tokens) if a.says("AS") and b.kind == "string"), None)
    if named is None:
        return
    place = statement.place(named.start)
    name, _, function = named.text.rpartition(".")
    if not name:
        ways: tuple[str, ...] = ("write its module before it: 'functions.geo.distance' is of functions/geo.py",)
        raise SqlError(f"'{named.text}' is no function of a module", place=place, fixes=ways)
    module = _import(name, function, place)
    found = getattr(module, function, None)
    if not hasattr(found, _JAVA):
        there = [key for key, value in vars(module).items() if hasattr(value, _JAVA)]
        what = "is no function of Flink" if found is not None else "is not there"
        ways = did_you_mean(
            function, there, "decorate a function with @udf(result_type=...)", fix=f"write '{name}.{{}}'"
        )
        facts = (f"functions of Flink in it: {', '.join(there) or 'none'}",)
        raise SqlError(f"`{function}` in module `{name}` {what}", place=place, facts=facts, fixes=ways)
    if in_jvm and getattr(found, "_func_type", "") == "pandas":
        raise SqlError(vectorised_finding(function, place))


def _import(name: str, function: str, place: Place) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise _no_module(name, function, place) from error
        ways = (
            f"install {error.name} here, and in the environment of the workers",
            f"put {error.name}.py into functions/, and import it as functions.{error.name}",
        )
        raise SqlError(
            f"module `{name}` needs a module `{error.name}`, which is not there",
            place=place, facts=_where(error, name), fixes=ways, detail=traceback.format_exc(),
        ) from error  # fmt: skip
    except Exception as error:  # the module is the user's: it may raise anything
        message = f"module `{name}` cannot be imported: {type(error).__name__}: {error}"
        raise SqlError(message, place=place, facts=_where(error, name), detail=traceback.format_exc()) from error


def _modules() -> list[str]:
    """Return the modules in the folder `functions/` of the project."""
    try:
        folders = import_module(FUNCTIONS).__path__
    except ImportError:
        return []
    return sorted(f"{FUNCTIONS}.{module.name}" for module in iter_modules(folders))


def _no_module(name: str, function: str, place: Place) -> SqlError:
    modules = _modules()
    facts = (f"functions/ has: {', '.join(modules) or 'nothing'}",)
    if f"functions.{name}" in modules:
        ways: tuple[str, ...] = (f"write 'functions.{name}.{function}'",)
    else:
        file = f"{name.removeprefix('functions.').replace('.', '/')}.py"
        ways = did_you_mean(name, modules, f"put it into functions/{file}", fix=f"write '{{}}.{function}'")
    return SqlError(Finding(f"there is no module `{name}`", place, facts, ways))


def _where(error: BaseException, name: str) -> tuple[str, ...]:
    """Return file and line of the user's code that an error comes from."""
    ending = name.rpartition(".")[2]
    if isinstance(error, SyntaxError) and error.filename:
        return (f"{_short(error.filename)}:{error.lineno}",)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if ending in f.filename or "functions" in f.filename]
    return (f"{_short(frames[-1].filename)}:{frames[-1].lineno}: {frames[-1].line}",) if frames else ()


def _short(file: str) -> str:
    parts = Path(file).parts
    at = max((i for i, part in enumerate(parts) if part == "functions"), default=len(parts) - 1)
    return str(Path(*parts[at:]))
