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


_SAMPLES = click.option(
    "--samples",
    "rows",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows with the trainer's scores, as Parquet, CSV or JSON lines: `check` compares the model with some of them.",
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--model", "onnx", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your ONNX file.")
@_COLUMNS
@_SAMPLES
def new(folder: Path, onnx: Path | None, columns: tuple[str, ...], rows: Path | None) -> None:
    """Create a small project that runs: source, features, CREATE MODEL, sink, job and a feature test.

    With --model it fits the file's signature; without, it has an example model. --samples are rows with the scores that
    the trainer computed, in columns with the names of the model's outputs.

    \b
    Example:
      millstream new churn --model churn.onnx --columns tenure,calls,bill --samples rows.parquet
      cd churn && millstream check
    """
    if rows and not onnx:
        raise click.UsageError("--samples are of a model: name it with --model")
    from pyflink_jobs.scaffold.scaffold import create_project

    notes: list[str] = []
    files = create_project(folder, onnx, columns, notes.append, rows)
    for file in files:
        click.echo(f"  {file}")
    for note in notes:
        click.echo(f"{click.style('note', fg='yellow')}: {note}")
    click.echo(f"\nNext:\n  cd {folder}\n  millstream check\n  millstream test")
    if onnx and not rows:
        model = next(file for file in files if file.name == "model.onnx").parents[1].name
        click.echo(
            "\nDoes the file score as your trainer does, also where values are missing? With rows and their scores:\n"
            f"  millstream card {model} --samples rows.parquet"
        )


@click.command()
@click.argument("model")
@click.option("--version", help="The version's folder (default: the newest).")
@_COLUMNS
@_SAMPLES
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="How much a score may differ, as a share of it where it is above 1 (default: 0.0001).",
)
@click.pass_obj
def card(
    context: Context,
    model: str,
    version: str | None,
    columns: tuple[str, ...],
    rows: Path | None,
    tolerance: float | None,
) -> int:
    """Write the card of models/MODEL/VERSION/model.onnx: its digest, inputs and outputs.

    With --samples, up to 100 of the trainer's rows are kept next to it. Their scores are in columns with the names of
    the model's outputs, such as probabilities[1], or of the OUTPUT columns of CREATE MODEL. `check` and each worker
    compare the model with them. The exit code is 1 if the scores differ.

    The model is called. Outputs that cannot be scored, because they depend on other rows or on chance or are no columns
    of rows, are printed; the exit code is 1 if it has no other.

    \b
    Example:
      millstream card churn --columns tenure,calls,bill --samples rows.parquet
    """
    from pyflink_jobs.project.model_files import writable_version
    from pyflink_jobs.scaffold.card import card_with_samples
    from pyflink_jobs.scaffold.model_columns import output_findings

    project = context.project
    onnx = writable_version(project, model, version)
    written, findings = card_with_samples(project, onnx, columns, rows, tolerance)
    for file in written:
        click.echo(f"wrote {project.relative(file)}")
    found = output_findings(onnx, project.relative(onnx))
    for finding in (*findings, *filter(None, found.values())):
        click.echo(f"\n{finding}")
    return int(bool(findings) or (bool(found) and all(found.values())))
