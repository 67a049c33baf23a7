"""`millstream new` and `millstream card`: create a project, write a model's card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["card", "new"]


def _split(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",")) if value else ()


_COLUMNS = click.option("--columns", callback=_split, help="Names of a matrix input's columns, in order: a,b,c.")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--model", "onnx", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your ONNX file.")
@_COLUMNS
def new(folder: Path, onnx: Path | None, columns: tuple[str, ...]) -> None:
    """Create a small project that runs: source, features, CREATE MODEL, sink, job and a feature test.

    With --model it fits the file's signature; without, it has an example model.

    \b
    Example:
      millstream new churn --model churn.onnx --columns tenure,calls,bill
      cd churn && millstream check
    """
    from pyflink_jobs.scaffold.scaffold import create_project

    notes: list[str] = []
    files = create_project(folder, onnx, columns, notes.append)
    for file in files:
        click.echo(f"  {file}")
    for note in notes:
        click.echo(f"{click.style('note', fg='yellow')}: {note}")
    click.echo(f"\nNext:\n  cd {folder}\n  millstream check\n  millstream test")


@click.command()
@click.argument("model")
@click.option("--version", help="The version's folder (default: the newest).")
@_COLUMNS
@click.pass_obj
def card(context: Context, model: str, version: str | None, columns: tuple[str, ...]) -> int:
    """Write the card of models/MODEL/VERSION/model.onnx: its digest, inputs and outputs.

    The model is called. Outputs that cannot be scored, because they depend on other rows or on chance or are no columns
    of rows, are printed; the exit code is 1 if it has no other.

    \b
    Example:
      millstream card churn --columns tenure,calls,bill
    """
    from pyflink_jobs.project.model_files import writable_version, write_card
    from pyflink_jobs.scaffold.model_columns import output_findings

    onnx = writable_version(context.project, model, version)
    file = write_card(onnx, model, onnx.parent.name, columns)
    click.echo(f"wrote {context.project.relative(file)}")
    found = output_findings(onnx, context.project.relative(onnx))
    for finding in filter(None, found.values()):
        click.echo(f"\n{finding}")
    return int(bool(found) and all(found.values()))
