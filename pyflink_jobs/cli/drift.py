"""`millstream drift`: show where a model's data has drifted, from the tables `drift` and `alerts`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.drift.explain import Explanation
    from pyflink_jobs.drift.heat_map import HeatMap
    from pyflink_jobs.drift.results import Results
    from pyflink_jobs.project.settings import Project

__all__ = ["drift"]

_PIPE_WIDTH = 10_000  # characters: in a file, all windows fit
_PAGE_WIDTH = 100  # characters: text is not wider than this

F = TypeVar("F", bound="Callable[..., Any]")


def _choices(function: F) -> F:
    """Add the options that both commands have."""
    for option in (
        JSON,
        click.option("--slice", "label", help="One slice (default: the worst)."),
        click.option("--job", help="A job of the model (default: the one with the newest record)."),
        click.option("--version", help="A version of the model (default: the one with the newest record)."),
        click.option("--model", help="A model; required if the topic has several."),
    ):
        function = option(function)
    return function


@click.group()
def drift() -> None:
    """Show where a model's data has drifted, from the tables `drift` and `alerts` that its job writes.

    \b
    Example:
      millstream drift show
      millstream drift explain 2013-07-04 dep_delay
    """


@drift.command(short_help="A heat map of the last windows, and the open alarms.")
@click.option("--last", type=click.IntRange(1), default=28, show_default=True, help="How many windows.")
@_choices
@click.pass_obj
def show(
    context: Context,
    *,
    last: int,
    model: str | None,
    version: str | None,
    job: str | None,
    label: str | None,
    as_json: bool,
) -> None:
    """Draw a heat map of the features in the last windows, the worst feature first, and list the open alarms.

    \b
    Example:
      millstream drift show
      millstream drift show --slice JFK --last 60
      millstream drift show --json | jq .open_alarms
    """
    from pyflink_jobs.drift.heat_map import heat_map
    from pyflink_jobs.drift.pages import show_page
    from pyflink_jobs.drift.results import read_results

    results = read_results(context.project, model, version, job)
    picture = heat_map(results, last, label)
    if as_json:
        click.echo(json.dumps(_map_as_json(results, picture), indent=2))
    else:
        console = _console(_PIPE_WIDTH)
        colour = console.color_system is not None and not console.no_color
        for part in show_page(results, picture, label, console.width, colour=colour):
            console.print(part)


@drift.command(short_help="One feature in one window, with charts.")
@click.argument("window")
@click.argument("feature")
@_choices
@click.pass_obj
def explain(
    context: Context,
    window: str,
    feature: str,
    *,
    model: str | None,
    version: str | None,
    job: str | None,
    label: str | None,
    as_json: bool,
) -> None:
    """Compare FEATURE in the window that starts at WINDOW (UTC) with the reference, and explain the result.

    \b
    Example:
      millstream drift explain 2013-07-04 dep_delay
      millstream drift explain 2013-07-04T05:00 temp --slice JFK
    """
    from pyflink_jobs.drift.explain import explain as explained
    from pyflink_jobs.drift.pages import explain_page
    from pyflink_jobs.drift.results import read_results

    project = context.project
    results = read_results(project, model, version, job)
    explanation = explained(results, window, feature, label)
    place = results.places.get(feature) or _declared(project, results, feature)
    if as_json:
        click.echo(json.dumps(_explanation_as_json(explanation, place), indent=2))
    else:
        console = _console(_PAGE_WIDTH)
        console.width = min(console.width, _PAGE_WIDTH)
        for part in explain_page(results, explanation, place, _line(project, place, feature), console.width):
            console.print(part)


def _console(pipe_width: int) -> Console:
    from rich.console import Console

    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else pipe_width)


def _declared(project: Project, results: Results, feature: str) -> str | None:
    """Return file and line of a feature without an alarm, None if SQL no longer has it."""
    from pyflink_jobs.drift.subject import find_subject
    from pyflink_jobs.errors import MillstreamError

    try:
        definition = find_subject(project, results.series.model, None).definition
    except MillstreamError:  # the project may have changed; the drift can still be shown
        return None
    places = {column.name: str(column.place) for column in (*definition.inputs, *definition.outputs)}
    return places.get(feature)


def _line(project: Project, place: str | None, feature: str) -> str:
    """Return the line of SQL, whose comment may have the unit; empty if the file has changed since."""
    file, _, line = (place or "").partition(":")
    try:
        text = (project.root / file).read_text().splitlines()[int(line.partition(":")[0]) - 1]
    except (OSError, ValueError, IndexError):
        return ""
    return " ".join(text.split()) if feature in text else ""


def _map_as_json(results: Results, picture: HeatMap) -> dict[str, object]:
    from pyflink_jobs.drift.records import iso

    return {
        **results.series._asdict(),
        "window_seconds": int(results.length.total_seconds()),
        "windows": [iso(start) for start in picture.windows],
        "features": [row.feature for row in picture.rows],
        "slices": list(picture.slices),
        "verdicts": [
            drift.as_json()
            for (start, _, label), drift in sorted(results.singles.items())
            if start in picture.windows and label in picture.slices
        ],
        "drifted_sums": [drift.as_json() for drift in picture.drifted_sums],
        "open_alarms": [alarm.as_json() for alarm in results.alarms if alarm.slice in picture.slices],
        "late_rows": results.lost,
        "not_shown": [other._asdict() for other in results.others],
    }


def _explanation_as_json(explanation: Explanation, place: str | None) -> dict[str, object]:
    from pyflink_jobs.drift.category_changes import category_changes
    from pyflink_jobs.drift.explain import sentence

    return {
        **explanation.drift.as_json(),
        "sentence": sentence(explanation.drift),
        "changes": [change.as_json() for change in category_changes(explanation.drift)],
        "slices": [drift.as_json() for drift in explanation.slices],
        "drifted_sums": [drift.as_json() for drift in explanation.sums],
        "open_alarm": explanation.alarm,
        "defined_at": place,
    }
