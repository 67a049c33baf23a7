"""The command line: finds a command's module by the command's name, and prints errors.

A module is imported when its command is called, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.masking import masked_output, remember_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink_jobs.project.settings import Project

__all__ = ["Context", "cli", "main"]

# The groups of --help: command -> (its module under pyflink_jobs.cli, its line). The lines are here and not in the
# modules so that --help imports none of them.
GROUPS = {
    "Project": {
        "new": ("new", "Create a project, around your ONNX file or an example."),
        "check": ("check", "Find mistakes in SQL and models before a job starts."),
        "test": ("test", "Run the given/expect tests of the feature files."),
        "explain": ("explain", "Show a job's expanded SQL and Flink's plan."),
        "card": ("new", "Write the card of a model file."),
        "reference": ("reference", "Build the reference profile that drift is measured against."),
    },
    "Local": {
        "up": ("up", "Start a local Kafka broker, and a Flink cluster."),
        "down": ("up", "Stop what `up` started."),
        "status": ("up", "Show what is running, where, and where its logs are."),
        "run": ("run", "Run a job on this machine."),
        "send": ("send", "Send the lines of a file to a topic."),
    },
    "Cluster": {
        "submit": ("submit", "Send a job to a Flink cluster."),
        "jobs": ("jobs", "List the jobs of a cluster."),
        "logs": ("jobs", "Show why a job failed, and the logs of its cluster."),
        "stop": ("jobs", "Stop a job, with or without a savepoint."),
        "upgrade": ("upgrade", "Replace a running job with its new version, state included."),
    },
    "Observe": {
        "topics": ("topics", "List the topics and their records."),
        "peek": ("topics", "Show records of a topic."),
        "drift": ("drift", "Show where a model's data has drifted."),
        "quarantine": ("quarantine", "Show, export and replay the records that were not scored."),
        "audit": ("audit", "Check that every record is accounted for."),
    },
    "Tune": {
        "tune": ("tune", "Measure a job here, and write the options that suit it."),
        "size": ("tune", "Estimate what a job needs at a rate: slots, partitions, memory."),
    },
    "Demo": {
        "demo": ("demo", "Score five months of real flights from end to end."),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


@dataclass
class Context:
    """The options before the command's name, which every command gets."""

    folder: Path | None = None
    verbose: bool = False
    _project: Project | None = field(default=None, repr=False)

    @property
    def project(self) -> Project:
        """The project in `--project`, or the nearest one in this folder and those above it."""
        if self._project is None:
            from pyflink_jobs.project.settings import Project

            self._project = Project.find(self.folder)
        return self._project


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"pyflink_jobs.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        width = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in commands.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="millstream")
@click.option("--project", "folder", type=click.Path(path_type=Path), help="Project folder (default: nearest upward).")
@click.option("--verbose", is_flag=True, help="Show stack traces.")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None, *, verbose: bool) -> None:
    """Run ONNX models inside Flink SQL pipelines, and detect drift of their data in the stream.

    \b
    Example:
      millstream up
      millstream check
      millstream run score --bounded
    """
    ctx.obj = Context(folder, verbose)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; a MillstreamError is printed as one paragraph, with exit code 1. No secret is printed."""
    remember_options(os.environ)
    with masked_output():
        try:
            _run(args)
        except Exception:  # noqa: BLE001 - a mistake of ours: printed here, where no secret is
            traceback.print_exc()
            sys.exit(1)


def _run(args: Sequence[str] | None) -> None:
    context = Context()
    try:
        code: Any = cli.main(args=args, prog_name="millstream", standalone_mode=False, obj=context)
    except MillstreamError as error:
        _print_error(error, verbose="--verbose" in (args if args is not None else sys.argv))
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _print_error(error: MillstreamError, *, verbose: bool) -> None:
    for finding in error.findings:
        head, *rest = str(finding).split("\n")
        click.echo(click.style("error: ", fg="red", bold=True) + head, err=True)
        for line in rest:
            click.echo(line, err=True)
    if verbose and error.detail:
        click.echo(f"\n{error.detail}", err=True)
