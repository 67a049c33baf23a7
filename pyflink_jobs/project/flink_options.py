"""Read Flink's options from a YAML file of `flink-conf/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Place, ProjectError
from pyflink_jobs.project.settings import Settings

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

__all__ = ["flat_options", "read_configuration"]


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
    return flat_options(content)


def flat_options(content: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return options by their full names: YAML may nest them."""
    options: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            options |= flat_options(value, f"{prefix}{key}.")
        else:
            options[f"{prefix}{key}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return options
