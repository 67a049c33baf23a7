"""`millstream reference`: build the reference profiles that drift is measured against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from udfs.drift.reference import Profile

__all__ = ["reference"]


@click.group()
def reference() -> None:
    """Build reference profiles of models.

    \b
    Example:
      millstream reference build --model late_arrival --version 1 --from rows.parquet
    """


@reference.command()
@click.option("--model", required=True, help="A model that sql/models/ declares.")
@click.option("--version", help="A folder under models/<model>/ (default: the one that SQL uses).")
@click.option("--from", "start", required=True, help="Rows as Parquet or JSON lines; with --sql, a time.")
@click.option("--sql", "view", help="Use the rows of this view, from the time --from to the time --to.")
@click.option("--to", "end", help="With --sql: the end of the rows, exclusive.")
@click.option("--time", help="The rows' column of event times, if it is not named like the monitor's.")
@click.option("--slices", type=click.IntRange(min=1), default=20, show_default=True, help="How many slices at most.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Output file (default: reference.parquet next to the model)."
)
@JSON
@click.pass_obj
def build(
    context: Context,
    *,
    model: str,
    version: str | None,
    start: str,
    view: str | None,
    end: str | None,
    time: str | None,
    slices: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Build a model's reference profile: the distributions of its inputs and outputs in its training rows.

    Inputs are columns of the rows. Outputs that are not columns are computed by the model. The model's monitor defines
    slices and seasons.

    \b
    Example:
      millstream reference build --model late_arrival --version 1 --from rows.parquet
      millstream reference build --model late_arrival --from rows.parquet --time departure
      millstream reference build --model late_arrival --sql flight_features --from 2013-01-01 --to 2013-04-01
    """
    if (view is None) != (end is None):
        raise click.UsageError("--sql and --to need each other")
    if view and time:
        raise click.UsageError("--time names a column of a file; with --sql it is the monitor's")
    from rich.console import Console
    from rich.progress import Progress

    from pyflink_jobs.drift.build import build_reference
    from pyflink_jobs.drift.rows import rows_of_view
    from pyflink_jobs.drift.subject import find_subject

    project = context.project
    subject = find_subject(project, model, version)
    target = out or project.models / model / subject.spec.version / "reference.parquet"
    warnings: list[str] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scoring rows", total=None)

        def show(done: int, rows: int) -> None:
            progress.update(task, completed=done, total=rows)

        with rows_of_view(project, subject, view, start, end) as rows:
            profile = build_reference(
                subject.definition,
                subject.spec,
                subject.options,
                rows,
                target,
                slices=slices,
                time=time,
                on_progress=show,
                on_warning=warnings.append,
            )
    for text in warnings:
        click.echo(f"warning: {text}", err=True)
    if as_json:
        click.echo(json.dumps(_as_json(profile, target) | {"warnings": warnings}, indent=2))
    else:
        click.echo(_summary(profile, project.relative(target)))


def _summary(profile: Profile, file: Path) -> str:
    keys = profile.keys
    lines = [f"{file}: {profile.whole.rows:,} rows, {len(profile.features.names)} columns"]
    if keys.slice_column:
        lines.append(f"slices by {keys.slice_column}: {', '.join(keys.labels)}")
    if keys.season != "none":
        lines.append(f"season: {keys.season}")
    worst = max(profile.features.names, key=profile.bound)
    lines.append(f"distances are exact within {profile.bound(worst):.3f} ({worst}), or better")
    if profile.inexact:
        lines.append(f"above 2^24, compared as the nearest float32: {', '.join(profile.inexact)}")
    return "\n".join(lines)


def _as_json(profile: Profile, file: Path) -> dict[str, object]:
    return {
        "file": str(file),
        "rows": profile.whole.rows,
        "slices": list(profile.keys.labels),
        "season": profile.keys.season,
        "bounds": {name: round(profile.bound(name), 6) for name in profile.features.names},
        "inexact": list(profile.inexact),
    }
