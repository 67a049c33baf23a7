"""Replay quarantined records: their job runs once more, and writes only what results from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import JobError, MillstreamError
from pyflink_jobs.planning.compile.load import Run
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.system_tables import QUARANTINE
from pyflink_jobs.quarantine.records import Quarantined, chosen, read_quarantine
from pyflink_jobs.running.job import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.progress import JobCounts

__all__ = ["Replay", "Selection", "replay", "select"]

_AGAIN = "what was marked before it ended counts as replayed: add --force to replay it once more"


@dataclass(frozen=True)
class Selection:
    """What a replay selects: `records` that are in quarantine, and those left out, by reason.

    `closed` counts records that were replayed before, `left_out` entries that cannot be replayed.
    """

    records: list[Quarantined]
    closed: int
    left_out: dict[str, int]

    @property
    def places(self) -> dict[str, dict[tuple[str, int, int], int]]:
        """The records by source, then by topic, partition and offset: how many rounds to mark as replayed."""
        rounds: dict[tuple[str, tuple[str, int, int]], set[int]] = defaultdict(set)
        for record in self.records:
            rounds[record.source, record.place or ("", 0, 0)] |= set() if record.replayed else {record.round}
        places: dict[str, dict[tuple[str, int, int], int]] = defaultdict(dict)
        for (source, place), opened in rounds.items():
            places[source][place] = len(opened)
        return places


@dataclass(frozen=True)
class Replay:
    """What a replay did: the records it selected, those it did not find, and those that failed again."""

    records: int
    unread: int
    again: int


def select(project: Project, job: Job, source: str | None, reason: str | None, *, force: bool) -> Selection:
    """Return the records of a job to replay; raises MillstreamError if there are none."""
    quarantined = read_quarantine(project)
    everything = [record for record in quarantined if record.fields.get("job") == job.name]
    wanted = chosen(everything, source, reason)
    why = [(record, _obstacle(record, job)) for record in wanted]
    left_out = Counter(obstacle for _, obstacle in why if obstacle)
    able = [record for record, obstacle in why if not obstacle]
    taken = {record.key for record in able if force or not record.replayed}
    closed = len({record.key for record in able} - taken)
    if not taken:
        raise _nothing(job.name, closed, left_out, source, reason)
    return Selection([record for record in everything if record.key in taken], closed, dict(left_out))


def _obstacle(record: Quarantined, job: Job) -> str:
    """Return why a record cannot be replayed, "" if it can."""
    if record.place is None:
        return f"of {record.source}, {record.reason}: their place in Kafka is not known"
    source = job.validated.get(record.source)
    options = source.source.values if source else {}
    if not connector_of(options).reads(options, record.place[0]):
        return f"of {record.source}: job `{job.name}` does not read topic {record.place[0]} by a table of that name"
    return ""


def _nothing(
    job: str, closed: int, left_out: Mapping[str, int], source: str | None, reason: str | None
) -> MillstreamError:
    kind = " ".join(
        f"{option} {value!r}" for option, value in (("--source", source), ("--reason", reason)) if value is not None
    )
    facts = [f"{count:,} {obstacle}" for obstacle, count in left_out.items()]
    ways = [f"see what is there: millstream {QUARANTINE} list"]
    if closed:
        facts.insert(0, f"{_records(closed)} replayed already")
        ways.insert(0, "replay those once more, which writes their results again: --force")
    if kind:
        ways.append(f"leave out {kind}")
    return MillstreamError(f"there is nothing of job `{job}` to replay", facts=tuple(facts), fixes=tuple(ways))


def _records(count: int) -> str:
    return "1 record was" if count == 1 else f"{count:,} records were"


def replay(
    project: Project,
    job: Job,
    selection: Selection,
    parallelism: int | None = None,
    on_progress: Callable[[JobCounts], None] = lambda _: None,
) -> Replay:
    """Run a job over what is in its topics, write what results from the selected records, and mark these as replayed.

    Raises what `run_job` raises, and JobError if it is stopped before its end.
    """
    try:
        outcome = run_job(
            project,
            job,
            Run(bounded=True, places=selection.places),
            parallelism=parallelism,
            on_progress=on_progress,
        )
    except JobError as error:
        findings = [replace(finding, fixes=(*finding.fixes, _AGAIN)) for finding in error.findings]
        raise JobError(findings, detail=error.detail) from error
    if outcome.state != "FINISHED":
        raise JobError(f"the replay of `{job.name}` was stopped before its end", fixes=(_AGAIN,))
    before, after = _rounds(selection.records), _rounds(read_quarantine(project))
    return Replay(
        records=len(before),
        unread=sum(after[key][1] < rounds for key, (rounds, _) in before.items()),
        again=sum(after[key][0] > rounds for key, (rounds, _) in before.items()),
    )


def _rounds(records: Iterable[Quarantined]) -> dict[Hashable, tuple[int, int]]:
    """Return the number of rounds of each record, and how many of them were replayed."""
    found: dict[Hashable, tuple[int, int]] = {}
    for record in records:
        rounds, replayed = found.get(record.key, (0, 0))
        found[record.key] = max(rounds, record.round), max(replayed, record.round if record.replayed else 0)
    return found
