"""Start a cluster for one job with Flink's command line.

The options are in a file that nobody else can read: on a command line, all users of the machine see them, secrets too.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.cluster.kubernetes import PROJECT, deployment_name
from pyflink_jobs.local import flink_home
from pyflink_jobs.masking import remember_options
from pyflink_jobs.project.flink_options import as_yaml, options_in, with_all_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyflink_jobs.cluster.targets import Target

__all__ = ["application_options", "configuration", "described", "flink_run"]

_CONF = "FLINK_CONF_DIR"
_FILE = "config.yaml"


def flink_run(job: str) -> list[str]:
    """Return the command that has Flink start a cluster on Kubernetes for a job."""
    of_job = ["-pym", "pyflink_jobs.job", "--project", PROJECT, "--job", job]
    return [str(flink_home.scripts() / "flink"), "run", "--target", "kubernetes-application", *of_job]


def application_options(job: str, target: Target, options: Mapping[str, str], parallelism: int) -> dict[str, str]:
    """Return the options of that command: `options` of the target, and where and how the cluster runs."""
    return {
        **options,
        "kubernetes.cluster-id": deployment_name(job),
        "kubernetes.container.image.ref": target.image,
        "kubernetes.namespace": target.namespace,
        "kubernetes.service-account": target.service_account,
        "parallelism.default": str(parallelism),
    }


@contextmanager
def configuration(options: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Write a copy of Flink's configuration folder, overridden by `options`; yield the variable that names it.

    The folder is the one of FLINK_CONF_DIR, or else of the package. The copy can be read by this user alone, and is
    removed at the end.
    """
    own = Path(os.environ.get(_CONF) or flink_home.flink_home() / "conf")
    with tempfile.TemporaryDirectory(prefix="millstream-flink-") as private:  # of mode 700
        for file in own.iterdir():
            if file.is_file() and file.name != _FILE:
                shutil.copy(file, private)
        known = options_in(own / _FILE)
        remember_options(known)
        with os.fdopen(os.open(Path(private, _FILE), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(as_yaml(with_all_files(known, options)))
        yield {_CONF: private}


def described(words: list[str], options: Mapping[str, str]) -> str:
    """Return what a person would do: the lines of the file, and the command."""
    return f"# add to {_FILE} in a copy of Flink's conf/\n{as_yaml(options)}# then\n{_CONF}=COPY {shlex.join(words)}\n"
