"""`millstream audit`: check that every record is accounted for."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON_LINES

if TYPE_CHECKING:
    from rich.table import Table

    from pyflink_jobs.audit.accounts import Account
    from pyflink_jobs.audit.audit import Audit
    from pyflink_jobs.audit.expected_output import Place
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project

__all__ = ["audit"]

_SHOWN = 20  # offsets of a partition
_COUNTS = ("read", "scored", "quarantined", "filtered", "in_flight", "missing", "duplicates", "expired")


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Return an option's time in epoch milliseconds."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"`{text}` is not a valid time, such as 2013-04-01T05:00") from error
    return round(1000 * (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


@click.command
@click.argument("job", required=False)
@click.option("--from", "since", metavar="TIME", callback=_moment, help="Only records from then on, UTC.")
@click.option("--to", "until", metavar="TIME", callback=_moment, help="Only records before then, UTC.")
@click.option(
    "--grace",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=0,
    show_default=True,
    help="How far the watermark of a running job lags.",
)
@JSON_LINES
@click.pass_obj
def audit(
    context: Context, job: str | None, *, since: int | None, until: int | None, grace: float, as_json: bool
) -> int:
    """Account for each record of the sources of JOB (default: of all jobs that score).

    Each record is scored, quarantined, filtered by the query, or in flight: not read by the job yet. Other records are
    missing, those with two results are duplicates, and expired ones are no longer in the topic and have no result. Exit
    code 1 if there are any; not for expired ones that the query may have filtered. Times are those of the records in
    Kafka.

    \b
    Example:
      millstream audit
      millstream audit score --from 2013-04-01 --to 2013-04-02T12:00
      millstream audit score --grace 300 --json
    """
    from rich.console import Console

    from pyflink_jobs.audit.accounts import Limits
    from pyflink_jobs.audit.audit import audit as run

    with Console(stderr=True).status("reading topics"):
        audits = run(context.project, job, Limits(since, until, round(1000 * grace)), _emitted)
    if as_json:
        _print_json(audits)
    else:
        _print(audits)
    return int(any(account.lost for done in audits for account in done.accounts))


def _emitted(project: Project, job: str, places: set[Place]) -> set[Place]:
    """Return the records that pass the job's query. Flink is started only if there are any."""
    from pyflink_jobs.audit.expected_output import emitted

    return emitted(project, job, places)


def _print_json(audits: list[Audit]) -> None:
    for done in audits:
        for account in done.accounts:
            click.echo(json.dumps({"job": done.job, **asdict(account)}))
        for finding in done.findings:
            click.echo(json.dumps({"job": done.job, "not_accounted_for": finding.as_json()}))


def _print(audits: list[Audit]) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(_table(audits))
    bad = [line for done in audits for account in done.accounts for line in _bad(done, account)]
    findings = [finding for done in audits for finding in done.findings]
    click.echo()
    gone = [line for done in audits for account in done.accounts for line in _gone(done, account)]
    for line in [*bad, *gone]:
        click.secho(line, fg="red")
    if not bad and not gone:
        exceptions = ", except as follows" if findings else ""
        click.secho(f"every record is accounted for{exceptions}", fg="green")
    for finding in findings:
        click.echo(f"\n{finding}")


def _table(audits: list[Audit]) -> Table:
    from rich.table import Table

    table = Table("job", "source", box=None, header_style="bold", pad_edge=False)
    table.add_column("partition", justify="right")
    for name in _COUNTS:
        table.add_column(name.replace("_", " "), justify="right")
    for done in audits:
        for source in dict.fromkeys(_source(done, account) for account in done.accounts):
            rows = {str(a.partition): _counts(a) for a in done.accounts if _source(done, a) == source}
            rows["total"] = [sum(column) for column in zip(*rows.values(), strict=True)]
            for partition, counts in rows.items():
                table.add_row(done.job, source, partition, *(f"{count:,}" for count in counts))
    return table


def _source(done: Audit, account: Account) -> str:
    """Return a source's name, with that of the topic where it reads several."""
    several = {other.topic for other in done.accounts if other.source == account.source} != {account.topic}
    return f"{account.source} ({account.topic})" if several else account.source


def _counts(account: Account) -> list[int]:
    values = asdict(account)
    return [value if isinstance(value := values[name], int) else len(value) for name in _COUNTS]


def _gone(done: Audit, account: Account) -> list[str]:
    """Return a line that says how many records of a partition have expired."""
    if not account.expired:
        return []
    known = "the job did not read them"
    if not account.certain:
        known += ", or its query filters them, or they are marks of transactions"
    count = f"{account.expired:,} offsets before {account.first}, where the topic begins now, have no result"
    return [f"{done.job}, {_source(done, account)}, partition {account.partition}: expired: {count}: {known}"]


def _bad(done: Audit, account: Account) -> list[str]:
    """Return lines that name the missing and the duplicate offsets of a partition."""
    lines = []
    for words, offsets in (("missing", account.missing), ("accounted for more than once", account.duplicates)):
        if offsets:
            more = f" and {len(offsets) - _SHOWN:,} more" if len(offsets) > _SHOWN else ""
            listed = ", ".join(map(str, offsets[:_SHOWN])) + more
            lines.append(
                f"{done.job}, {_source(done, account)}, partition {account.partition}: {words}: offset {listed}"
            )
    return lines
