"""Send models to the workers: in an archive with the job, or at a URI that the workers read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ClusterError
from pyflink_jobs.project.pack_files import MODELS_FOLDER, pack_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.planning.declarations import Job, Model
    from pyflink_jobs.project.pack_files import Package
    from pyflink_jobs.project.settings import Project

__all__ = ["files_of", "located_at", "located_in_archive", "pack_models", "put_models"]


def files_of(models: list[Model]) -> dict[Path, str]:
    """Return the files that models need on a worker, with their digests."""
    files = {Path(path): sha256 for model in models for path, sha256 in model.spec.files.items()}
    for model in models:
        for addition in model.additions.values():
            files |= addition.files
    return files


def located_in_archive(job: Job, project: Project) -> Job:
    """Return a job whose models are where the archive of `pack_models` is unpacked."""
    return _located(job, lambda path, _: f"{MODELS_FOLDER}/{_name(project, Path(path))}")


def located_at(job: Job, uri: str) -> Job:
    """Return a job whose models are where `put_models` puts them."""
    return _located(job, lambda path, sha256: _address(uri, Path(path), sha256))


def pack_models(project: Project, models: list[Model], folder: Path) -> Package:
    """Write `models.zip`, by the files' names in the project."""
    return pack_files(folder / "models.zip", {_name(project, file): file for file in files_of(models)})


def put_models(models: list[Model], uri: str) -> list[str]:
    """Put the files of models at a URI, each named by its digest; return the addresses of the new ones.

    Raises ClusterError if the URI cannot be written to.
    """
    from pyarrow import fs

    put = []
    for file, sha256 in files_of(models).items():
        address = _address(uri, file, sha256)
        try:
            system, path = fs.FileSystem.from_uri(address)
            if system.get_file_info(path).type == fs.FileType.File:
                continue
            system.create_dir(str(Path(path).parent), recursive=True)
            with system.open_output_stream(path) as stream:
                stream.write(file.read_bytes())
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
            raise ClusterError(
                f"models cannot be written to {uri}",
                facts=(str(error),),
                fixes=("correct `models` of the target", "leave it out, so that each job carries its models"),
            ) from error
        put.append(address)
    return put


def _located(job: Job, at: Callable[[str, str], str]) -> Job:
    models = {
        name: replace(
            model,
            spec=model.spec.moved(at),
            additions={companion: addition.moved(at) for companion, addition in model.additions.items()},
        )
        for name, model in job.models.items()
    }
    return replace(job, models=models)


def _name(project: Project, file: Path) -> str:
    return str(project.relative(file)).lstrip("/")


def _address(uri: str, file: Path, sha256: str) -> str:
    return f"{uri.rstrip('/')}/{sha256}{file.suffix}"
