"""Read Flink's options from a YAML file of `flink-conf/`."""

from __future__ import annotations

import os
from io import StringIO
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Place, ProjectError
from pyflink_jobs.masking import remember_options
from pyflink_jobs.project.flat_options import flat_options
from pyflink_jobs.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["as_yaml", "options_in", "read_configuration", "with_all_files"]

_LISTS = {
    "pipeline.jars": ";",
    "pipeline.classpaths": ";",
    "python.files": ",",
    "python.archives": ",",
    "python.pythonpath": os.pathsep,
}
"""Options that list files, with what is between two of them: files of ours and of the user's are all needed."""


def read_configuration(project: Project, name: str | None = None) -> dict[str, str]:
    """Read a Flink configuration, by default the project's own; {} where the default file is missing.

    `name` is relative to the project. Raises ProjectError for a named file that is missing, and for a file that is
    not a list of options.
    """
    from ruamel.yaml import YAML, YAMLError

    name = name or project.settings.flink_conf
    file = project.root / name
    if not file.is_file():
        if name == Settings.flink_conf:
            return {}
        raise ProjectError(
            f"there is no Flink configuration {name}",
            place=Place(project.root / "pyproject.toml"),
            fixes=("correct flink_conf in [tool.millstream]",),
        )
    place = Place(project.relative(file))
    try:
        content: Any = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise ProjectError(f"not valid YAML: {error}", place=place) from error
    if not isinstance(content, dict):
        raise ProjectError("expected a list of Flink options, one `key: value` a line", place=place)
    options = flat_options(content)
    remember_options(options)
    return options


def options_in(file: Path) -> dict[str, str]:
    """Return the options of a configuration of Flink's own; {} where the file is missing or empty."""
    from ruamel.yaml import YAML

    content: Any = YAML(typ="safe").load(file.read_text(encoding="utf-8")) if file.is_file() else None
    return flat_options(content or {})


def as_yaml(options: Mapping[str, str]) -> str:
    """Return options as the text of a file, a line each, in order of their names."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.width = 10_000
    text = StringIO()
    yaml.dump(dict(sorted(options.items())), text)
    return text.getvalue()


def with_all_files(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return options, those of later layers first, but the files that any layer lists: `pipeline.jars` and its like.

    >>> with_all_files({"python.files": "a.zip", "a": "1"}, {"python.files": "b.zip", "a": "2"})
    {'python.files': 'a.zip,b.zip', 'a': '2'}
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.items():
            if (between := _LISTS.get(key)) and merged.get(key):
                listed = [*merged[key].split(between), *value.split(between)]
                merged[key] = between.join(dict.fromkeys(each.strip() for each in listed if each.strip()))
            else:
                merged[key] = value
    return merged
