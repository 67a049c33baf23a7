"""The command group: finds a command's module by its name and turns errors into words.

Modules are imported when their command is called, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.errors import MillstreamError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink_jobs.project.settings import Project

__all__ = ["Context", "cli", "main"]

# name -> (module under pyflink_jobs.cli, the line that --help shows). Kept beside each other here so that
# the overview needs none of the modules.
COMMANDS = {
    "new": ("new", "Start a project of your own."),
    "up": ("up", "Start the local Kafka broker, and a Flink cluster."),
    "down": ("up", "Stop what `up` has started."),
    "status": ("up", "Say what runs on this machine, where, and where its logs are."),
    "check": ("check", "Find mistakes in SQL and models before a job starts."),
    "explain": ("explain", "Show a job's expanded SQL and Flink's plan."),
    "test": ("test", "Run the given/expect tests of the feature files."),
    "run": ("run", "Run a job on this machine."),
    "tune": ("tune", "Measure a job here, and write the options that suit it."),
    "size": ("tune", "Say what a job needs at a rate: slots, partitions, memory."),
    "submit": ("submit", "Send a job to a Flink cluster."),
    "jobs": ("jobs", "List the jobs of a cluster."),
    "logs": ("jobs", "Show why a job failed, and the logs of its cluster."),
    "stop": ("jobs", "Stop a job, with its state kept if you like."),
    "upgrade": ("upgrade", "Put a new version of a job in the old one's place."),
    "topics": ("topics", "List the topics and what is in them."),
    "peek": ("topics", "Show records of a topic."),
    "drift": ("drift", "Show where a model's data has drifted."),
    "quarantine": ("quarantine", "Show what could not be scored, and why."),
    "audit": ("audit", "Show that every record is accounted for."),
    "send": ("send", "Send a file's lines to a topic."),
    "card": ("new", "Write the card of a model file."),
    "reference": ("reference", "Build reference profiles, against which drift is measured."),
    "replay": ("replay", "Play recorded data into Kafka as if it happened now."),
    "report": ("report", "Draw the demo's report from its topics."),
    "demo": ("demo", "Score five months of real flights from end to end."),
}


@dataclass
class Context:
    """What every command gets: the options before the command's name."""

    folder: Path | None = None
    verbose: bool = False
    _project: Project | None = field(default=None, repr=False)

    @property
    def project(self) -> Project:
        """The project in `--project`, or the nearest one upward."""
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
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="millstream")
@click.option("--project", "folder", type=click.Path(path_type=Path), help="Project folder (default: nearest upward).")
@click.option("--verbose", is_flag=True, help="Show stack traces.")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None, *, verbose: bool) -> None:
    """Run ONNX models inside Flink SQL pipelines and see, in the stream, when the data has drifted.

    \b
    Example:
      millstream up
      millstream check
      millstream run score --bounded
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    ctx.obj = Context(folder, verbose)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; an error that people can mend is one paragraph and exit code 1."""
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
