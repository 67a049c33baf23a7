"""Audit a project: read the topics, and make the accounts of each job's sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pyflink_jobs.audit.accounts import Account, accounts
from pyflink_jobs.audit.reading import Quarantine, read_records, read_sink
from pyflink_jobs.audit.subjects import find_subjects, quarantine_table, scoring_jobs
from pyflink_jobs.errors import SqlError
from pyflink_jobs.local.broker import bootstrap_servers
from pyflink_jobs.local.kafka_client import address as address_of
from pyflink_jobs.local.topics import committed
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.declare import declare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.audit.accounts import Found, Limits, Records
    from pyflink_jobs.audit.expected_output import Place
    from pyflink_jobs.audit.subjects import Subject
    from pyflink_jobs.errors import Finding
    from pyflink_jobs.local.kafka_client import Brokers
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.project.settings import Project

__all__ = ["Audit", "audit"]


@dataclass(frozen=True)
class Audit:
    """The accounts of a job's sources, and findings on what cannot be audited."""

    job: str
    accounts: list[Account]
    findings: list[Finding]


def audit(
    project: Project, name: str | None, limits: Limits, emitted: Callable[[Project, str, set[Place]], set[Place]]
) -> list[Audit]:
    """Audit a job, or all jobs that score.

    `emitted` returns those of the given records for which a job's query writes a row. Raises SqlError if nothing can be
    audited, and KafkaError if topics cannot be read.
    """
    declarations = declare(project)
    jobs = scoring_jobs(declarations, name)
    table = quarantine_table(declarations)
    found = {job.name: find_subjects(declarations, job, since=limits.since is not None) for job in jobs}
    every = [subject for subjects, _ in found.values() for subject in subjects]
    if not every:
        raise SqlError([finding for _, findings in found.values() for finding in findings])
    address = bootstrap_servers(project)
    # Sources first: while the rest is read, jobs may account for more of these records, but no record is added.
    sources = {_name(subject, address): _at(subject.source.source, address) for subject in every}
    records = {name: read_records(*at) for name, at in sources.items()}
    quarantine = Quarantine(*_at(table, address))
    audits = []
    for job, (subjects, findings) in found.items():
        made: list[Account] = []
        for subject in subjects:
            read = records[_name(subject, address)]
            known = _known(subject, read, quarantine, address)
            known_limits = replace(limits, committed=_committed(subject.source.source, address))
            made += accounts(
                subject.source.name, subject.source.topic, read, known, partial(emitted, project, job), known_limits
            )
        audits.append(Audit(job, made, findings))
    return audits


def _name(subject: Subject, address: str) -> tuple[str, str]:
    """Return what a source's records are known by: topics of one name may be in two Kafkas."""
    client, topic = _at(subject.source.source, address)
    return address_of(client), topic


def _known(subject: Subject, read: dict[int, Records], quarantine: Quarantine, address: str) -> dict[int, Found]:
    """Return which of a source's records are in the job's sinks and in quarantine, by partition."""
    sinks = [read_sink(*_at(sink, address), *subject.source.place) for sink in subject.sinks]
    return {
        number: quarantine.of(
            subject.job,
            subject.source.topic,
            subject.source.name,
            number,
            tuple(sink[number] for sink in sinks if number in sink),
        )
        for number in read
    }


def _committed(source: SourceTable, address: str) -> dict[int, int]:
    group = connector_of(source.values).client(source.values).get("group.id")
    client, topic = _at(source, address)
    return committed(client, group, topic) if group else {}


def _at(table: SourceTable, address: str) -> tuple[Brokers, str]:
    """Return the client and the topic of a table; `address` are the project's own brokers."""
    connector = connector_of(table.values)
    return connector.client(table.values) or address, connector.names(table.values)[0]
