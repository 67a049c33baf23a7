"""The bench's project with records of more floats, and with more or fewer slots."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bench.peers.contestants import MODELS
from bench.peers.project_copy import copy_project, replace_text
from bench.records import COLUMNS
from pyflink_jobs.project.cards import write_card

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["wide_project"]


def wide_project(root: Path, folder: Path, floats: int, slots: int) -> None:
    """Write the project at `root` into `folder`, changed: the jobs none_kafka and mlp_kafka read `floats` floats.

    There must be a model `bench/models/mlp_<floats>.onnx`, unless `floats` is what the project has.
    """
    copy_project(root, folder, "json", exactly_once=False)
    replace_text(folder / "pyproject.toml", "parallelism = 2", f"parallelism = {slots}")
    if floats == COLUMNS:
        return
    last = f"x{COLUMNS - 1}"
    names = [last, *(f"x{i}" for i in range(COLUMNS, floats))]
    columns = ", ".join(f"{name} FLOAT" for name in names)
    sql = folder / "sql"
    replace_text(sql / "sources" / "records.sql", f"{last} FLOAT", columns)
    replace_text(sql / "models" / "mlp.sql", f"{last} FLOAT", columns)
    replace_text(sql / "jobs" / "mlp_kafka.sql", last, ", ".join(names))
    replace_text(sql / "jobs" / "none_kafka.sql", last, " + ".join(names))
    model = folder / "models" / "mlp" / "1" / "model.onnx"
    shutil.copyfile(MODELS / f"mlp_{floats}.onnx", model)
    write_card(model, "mlp", "1")
