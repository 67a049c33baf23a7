"""A project folder and its settings: `[tool.millstream]` in `pyproject.toml`, then the environment.

Every setting `name` can be overridden by the variable `MILLSTREAM_NAME`.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place, ProjectError
from pyflink_jobs.masking import names_secret
from pyflink_jobs.project.flat_options import flat_options
from pyflink_jobs.project.units import byte_count

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Project", "Settings"]

_ADDRESS = "bootstrap.servers"
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Settings:
    """The settings in `[tool.millstream]`.

    `kafka` is the broker's address when no local broker runs, `kafka_client` the other properties of its clients, from
    `[tool.millstream.kafka]`, with `${NAME}` for what comes from the environment. `flink_conf` is a Flink configuration
    relative to the project, `parallelism` the number of parallel subtasks a job runs with, `worker_memory` the memory
    limit of each Python worker. With `speedups`, jobs start and call models in less time
    than with Flink's own ways.
    """

    kafka: str = "localhost:9092"
    flink_conf: str = "flink-conf/local.yaml"
    parallelism: int = 1
    worker_memory: str = "2 gb"
    speedups: bool = True
    kafka_client: Mapping[str, str] = field(default_factory=dict)

    @property
    def worker_bytes(self) -> int:
        """`worker_memory` in bytes."""
        found = byte_count(self.worker_memory)
        assert found is not None, "checked when it was read"  # noqa: S101
        return found


@dataclass(frozen=True)
class Project:
    """A project: the folder `root`, its settings, and the folders whose names are fixed."""

    root: Path
    settings: Settings

    @classmethod
    def find(cls, folder: Path | None = None, env: Mapping[str, str] = os.environ) -> Project:
        """Return the project at `folder`, or the nearest one from the current folder upward.

        Raises ProjectError where there is none or a setting is unknown or of the wrong type.
        """
        if folder is not None:
            root = folder.resolve()
            if _table(root) is None:
                raise ProjectError(
                    f"{folder} is not a Millstream project",
                    facts=("its pyproject.toml needs a section [tool.millstream]",),
                    fixes=(f"create one: millstream new {folder}", "name another folder: --project DIR"),
                )
            return cls._at(root, env)
        here = Path.cwd()
        for candidate in (here, *here.parents):
            if _table(candidate) is not None:
                return cls._at(candidate, env)
        raise ProjectError(
            "no Millstream project here or in any folder above",
            facts=(f"looked from {here} upward for a pyproject.toml with a section [tool.millstream]",),
            fixes=("create one: millstream new DIR", "name its folder: --project DIR"),
        )

    @classmethod
    def _at(cls, root: Path, env: Mapping[str, str]) -> Project:
        return cls(root, _settings(root / "pyproject.toml", _table(root) or {}, env))

    @property
    def sql(self) -> Path:
        """The folder of SQL files."""
        return self.root / "sql"

    @property
    def models(self) -> Path:
        """The folder of model files."""
        return self.root / "models"

    @property
    def state(self) -> Path:
        """The folder for everything that Millstream writes: broker data, logs, process ids."""
        return self.root / ".millstream"

    def relative(self, path: Path) -> Path:
        """Return `path` as it is shown: relative to the project where it is inside."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def _table(folder: Path) -> dict[str, object] | None:
    file = folder / "pyproject.toml"
    if not file.is_file():
        return None
    try:
        tool = tomllib.loads(file.read_text()).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"not valid TOML: {error}", place=Place(file)) from error
    table = tool.get("millstream")
    return table if isinstance(table, dict) else None


def _settings(file: Path, table: dict[str, object], env: Mapping[str, str]) -> Settings:
    known: dict[str, type] = {each.name: type(each.default) for each in fields(Settings) if each.name != "kafka_client"}
    findings: list[Finding] = []
    values: dict[str, object] = {}
    for name, value in table.items():
        if name == "targets":  # pyflink_jobs/cluster/targets.py reads them
            continue
        if name == "kafka" and isinstance(value, dict):
            client = flat_options(value)
            findings += _secrets(client, Place(file))
            values |= {"kafka": client.pop(_ADDRESS, Settings.kafka), "kafka_client": client}
        elif name not in known:
            findings.append(
                Finding(f"unknown setting `{name}`", Place(file), fixes=(f"known are: {', '.join(known)}",)),
            )
        elif type(value) is not known[name]:
            wanted = known[name].__name__
            findings.append(Finding(f"setting `{name}` is {value!r}, expected a value of type {wanted}", Place(file)))
        else:
            values[name] = value
    values |= _of_environment(known, env, findings)
    memory = str(values.get("worker_memory", Settings.worker_memory))
    if byte_count(memory) is None:
        fixes = ("write '512 mb' or '2 gb'",)
        findings.append(Finding(f"worker_memory is {memory!r}, expected a size of memory", Place(file), (), fixes))
    if findings:
        raise ProjectError(findings)
    return Settings(**values)  # type: ignore[arg-type]  # each value's type was compared with its field's


def _secrets(client: Mapping[str, str], place: Place) -> list[Finding]:
    """Return a finding for each secret that is in the file itself."""
    return [
        Finding(
            f"[tool.millstream.kafka]: `{name}` has a secret in a file that others read",
            place,
            fixes=('take it from the environment: password="${KAFKA_PASSWORD}"',),
        )
        for name, value in client.items()
        if names_secret(name) and "${" not in value
    ]


def _of_environment(known: Mapping[str, type], env: Mapping[str, str], findings: list[Finding]) -> dict[str, object]:
    """Return the settings that the environment has; add those that it has wrongly to `findings`."""
    values: dict[str, object] = {}
    for name, kind in known.items():
        text = env.get(variable := f"MILLSTREAM_{name.upper()}")
        if text is None:
            continue
        try:
            values[name] = _TRUTH[text] if kind is bool else kind(text)
        except (KeyError, ValueError):
            expected = " or ".join(_TRUTH) if kind is bool else kind.__name__
            findings.append(Finding(f"environment variable {variable} is {text!r}, expected {expected}"))
    return values
