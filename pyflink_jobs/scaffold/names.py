"""The SQL names of a new project: those of a model's columns, and the project's own, which give way to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.planning.system_tables import REASON, SCORE
from udfs.scoring.arguments import ERROR

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["OWN_COLUMNS", "column_name", "free_name", "model_name", "name_problem"]

OWN_COLUMNS = ("id", "event_ms", "event_time", "event_partition", "event_offset")
"""The columns of the project's source beside the model's inputs."""

_TABLES = ("events", "predictions", "quarantine")
_TAKEN = ("model_version", ERROR)  # fields of a prediction
_INSIDE = ("model_version", SCORE, REASON, "_error", "_record", "_topic", "_partition", "_offset", "_ingested_at")


def model_name(stem: str) -> str:
    """Return the name of a model from that of its file.

    >>> model_name("Späte Ankunft"), model_name("events"), model_name("7"), model_name("!")
    ('sp_te_ankunft', 'events_model', 'model_7', 'model')
    """
    name = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_").lower() or "model"
    if name[0].isdigit():
        return f"model_{name}"
    return f"{name}_model" if name in _TABLES else name


def column_name(tensor: str, element: int | None, taken: Collection[str]) -> str:
    """Return a plain name for the column of an output, or of one of its elements, that is not taken.

    >>> column_name("variable[0]", None, ()), column_name("probabilities", 1, ()), column_name("id", None, ("id",))
    ('variable_0', 'probabilities_1', 'id_out')
    """
    name = re.sub(r"\W+", "_", tensor).strip("_") or "output"
    return free_name(name if element is None else f"{name}_{element}", {*taken, *_TAKEN}, "_out")


def free_name(name: str, taken: Collection[str], ending: str = "_2") -> str:
    """Return a name that is not taken: `name`, or with endings."""
    while name in taken:
        name += ending
    return name


def name_problem(name: str) -> str:
    """Return why an input's column cannot have a name; "" where it can. Its name is the tensor's: SQL finds it by that.

    >>> name_problem("order"), name_problem("a b.c:0"), name_problem("model_version")
    ('', '', 'ML_PREDICT uses that name itself')
    """
    if name in _INSIDE:
        return "ML_PREDICT uses that name itself"
    if not name.strip() or name != name.strip() or not name.isprintable():
        return "a column's name begins and ends with a visible character, and has no line ends"
    if "${" in name:
        return "in SQL files ${...} is a variable"
    return ""
