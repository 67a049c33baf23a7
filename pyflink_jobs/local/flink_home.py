"""The Flink distribution inside the apache-flink package: its scripts, and a configuration folder for them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.project.flink_options import as_yaml, options_in

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["flink_home", "jars_of_flink", "prepare", "scripts", "variables"]


def flink_home() -> Path:
    """Return the folder that Flink's scripts call FLINK_HOME."""
    spec = find_spec("pyflink")
    assert spec is not None, "apache-flink is a dependency"  # noqa: S101
    assert spec.origin is not None, "it is not a namespace package"  # noqa: S101
    return Path(spec.origin).parent


def scripts() -> Path:
    """Return the folder of `flink`, `jobmanager.sh` and the others."""
    return flink_home() / "bin"


def jars_of_flink() -> list[Path]:
    """Return the jars of lib/, sorted."""
    return sorted((flink_home() / "lib").glob("*.jar"))


def prepare(home: Path, options: Mapping[str, str]) -> None:
    """Make a folder that the scripts can run from, with Flink's own configuration overridden by `options`.

    `conf/` has the configuration, `lib/` links to Flink's jars and to that of PyFlink, which the JobManager needs too.
    """
    for name in ("conf", "lib", "log", "pid", "tmp"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for file in (flink_home() / "conf").iterdir():
        if file.name.startswith("log"):
            (home / "conf" / file.name).write_bytes(file.read_bytes())
    for jar in [*jars_of_flink(), *(flink_home() / "opt").glob("flink-python-*.jar")]:
        link = home / "lib" / jar.name
        link.unlink(missing_ok=True)
        link.symlink_to(jar)
    packaged = options_in(flink_home() / "conf" / "config.yaml")
    (home / "conf" / "config.yaml").write_text(as_yaml({**packaged, **options}), encoding="utf-8")


def variables(home: Path) -> dict[str, str]:
    """Return the environment variables that make the scripts use the folder `home`."""
    return {
        "FLINK_HOME": str(flink_home()),
        "FLINK_CONF_DIR": str(home / "conf"),
        "FLINK_LIB_DIR": str(home / "lib"),
        "FLINK_PLUGINS_DIR": str(flink_home() / "plugins"),
        "FLINK_LOG_DIR": str(home / "log"),
        "FLINK_PID_DIR": str(home / "pid"),
    }
