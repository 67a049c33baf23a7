"""`millstream test`: run the given/expect tests of the feature files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.testkit.feature_file import FeatureTest

__all__ = ["test"]

_PIPE_WIDTH = 10_000  # columns: lines in a pipe are not wrapped


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "name", metavar="NAME", help="Only tests whose name or view contains NAME.")
@JSON
@click.pass_obj
def test(context: Context, files: tuple[Path, ...], name: str | None, *, as_json: bool) -> int:
    """Run the tests in FILES (default: tests/features/*.yaml) on a Flink MiniCluster; no Kafka is needed.

    A test names a view, gives rows to the tables that it reads, and expects rows of the view. Exit code 1 if
    one fails.

    \b
    Example:
      millstream test
      millstream test tests/features/origin_congestion.yaml
      millstream test -k "last hour" --json
    """
    from rich.console import Console

    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.running.environment import table_environment
    from pyflink_jobs.running.fast_start.jvm_options import start_quickly
    from pyflink_jobs.running.minicluster import minicluster
    from pyflink_jobs.running.warm.borrow import borrow_jvm
    from pyflink_jobs.testkit import report
    from pyflink_jobs.testkit.cases import make_cases
    from pyflink_jobs.testkit.run import run_cases

    started = monotonic()
    project = context.project
    borrow_jvm(project)
    start_quickly()
    tests = _selected(project, files, name)
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    outcomes = []
    with Console(stderr=True).status("reading tests, starting Flink") as status:
        declarations = declare(project)
        cases = make_cases(declarations, tests, table_environment(project))
        with minicluster(project, slots=2) as cluster:
            numbers = iter(range(1, len(cases) + 1))
            for outcome in run_cases(
                project,
                declarations.models,
                cases,
                cluster,
                on_start=lambda case: status.update(f"{next(numbers)} of {len(cases)}: {report.title(case)}"),
            ):
                outcomes.append(outcome)
                if not as_json:
                    report.print_outcome(console, outcome)
                if context.verbose and outcome.error and outcome.error.detail:
                    click.echo(outcome.error.detail, err=True)
    if as_json:
        click.echo(json.dumps([report.as_json(outcome) for outcome in outcomes], indent=2))
    failed = any(not outcome.passed for outcome in outcomes)
    if not as_json:
        click.secho(report.summary(outcomes, monotonic() - started), fg="red" if failed else "green")
    return int(failed)


def _selected(project: Project, files: tuple[Path, ...], name: str | None) -> list[FeatureTest]:
    """Read the files, or all of the project, and return the tests whose name is wanted."""
    from pyflink_jobs.errors import FeatureTestError
    from pyflink_jobs.testkit.feature_file import read_feature_files

    folder = project.root / "tests" / "features"
    chosen = [file.resolve() for file in files] or sorted(folder.glob("*.yaml"))
    if not chosen:
        raise FeatureTestError(
            f"there are no tests in {project.relative(folder)}/",
            fixes=(f"write one: {project.relative(folder)}/NAME.yaml, with view, given and expect",),
        )
    tests = read_feature_files(project, chosen)
    wanted = [test for test in tests if name is None or name in test.name or name in str(test.view.text)]
    if not wanted:
        known = ", ".join(f"`{test.name}`" for test in tests)
        raise FeatureTestError(f"no test's name contains `{name}`", facts=(f"there are {known}",))
    return wanted
