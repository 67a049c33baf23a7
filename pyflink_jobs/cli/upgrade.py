"""`millstream upgrade`: replace a running job with its new version."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON, TARGET

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.cluster.state_mapping import StateOutcome

__all__ = ["upgrade"]

_COLOURS = {"keeps": "green", "loses": "red", "new": "yellow"}


@click.command()
@click.argument("job")
@TARGET
@click.option("--plan", "only_plan", is_flag=True, help="Show which state would be kept and lost; stop nothing.")
@click.option("--accept-loss", is_flag=True, help="Upgrade although some state is lost.")
@click.option("--ship-env", is_flag=True, help="Send this Python environment to the workers.")
@click.option("--within", default=300.0, show_default=True, help="Seconds to wait until the new job runs.")
@JSON
@click.pass_obj
def upgrade(
    context: Context,
    job: str,
    *,
    target: str,
    only_plan: bool,
    accept_loss: bool,
    ship_env: bool,
    within: float,
    as_json: bool,
) -> None:
    """Stop a job with a savepoint and start its new version from it; if that fails, restart the old one.

    \b
    Example:
      millstream upgrade score --plan
      millstream upgrade score
    """
    from rich.console import Console

    from pyflink_jobs.cluster.expired_records import expired_records
    from pyflink_jobs.cluster.jobs import connect
    from pyflink_jobs.cluster.submitted_copies import keep_record
    from pyflink_jobs.cluster.targets import target_named
    from pyflink_jobs.cluster.upgrade import plan_upgrade
    from pyflink_jobs.cluster.upgrade import upgrade as carry_out
    from pyflink_jobs.errors import JobError
    from pyflink_jobs.local.broker import bootstrap_servers
    from pyflink_jobs.running.progress import expired_words

    project = context.project
    to = target_named(project, target)
    rest = connect(to)
    with tempfile.TemporaryDirectory(prefix="millstream-") as name, Console(stderr=True).status(job) as status:
        folder = Path(name)
        status.update(f"{job}: planning")
        planned = plan_upgrade(project, job, to, rest, folder, ship_env=ship_env)
        _show(planned.outcomes, as_json=as_json and only_plan)
        if only_plan:
            return
        if planned.losses and not accept_loss:
            raise JobError(
                f"the upgrade of `{job}` loses state; nothing was stopped",
                facts=tuple(_line(outcome) for outcome in planned.losses),
                fixes=(
                    "keep what these states read and compute",
                    "accept the loss: --accept-loss",
                ),
            )
        job_id = carry_out(
            project, planned, rest, folder, within=within, on_step=lambda step: status.update(f"{job}: {step}")
        )
        keep_record(project, planned.new, job_id, bootstrap_servers(project), ship_env=ship_env)
        expired = expired_records(rest, job_id)
    for line in expired_words(expired):
        click.secho(line, fg="yellow", err=True)
    click.echo(
        json.dumps({"job": job, "id": job_id, "url": to.url}) if as_json else f"{job} is running at {to.url}: {job_id}"
    )


def _show(outcomes: list[StateOutcome], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
        return
    for outcome in sorted(dict.fromkeys(outcomes), key=lambda outcome: list(_COLOURS).index(outcome.word)):
        click.echo(f"{click.style(f'{outcome.word:<6}', fg=_COLOURS[outcome.word])} {_line(outcome)}", err=True)


def _line(outcome: StateOutcome) -> str:
    return f"{outcome.name}: {outcome.why}" if outcome.why else outcome.name
