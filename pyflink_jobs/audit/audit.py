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

    from pyflink_jobs.audit.accounts import Found, Integers, Limits, Records
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
    sources = {_name(subject, address): _client(subject.source.source, address) for subject in every}
    records = {
        (name, topic): read_records(client, topic) for (name, topics), client in sources.items() for topic in topics
    }
    quarantine = Quarantine(_client(table, address), _topics(table)[0])
    audits = []
    for job, (subjects, findings) in found.items():
        made: list[Account] = []
        for subject in subjects:
            sinks = [read_sink(_client(s, address), _topics(s)[0], subject.source.position) for s in subject.sinks]
            name, topics = _name(subject, address)
            for topic in topics:
                read = records[name, topic]
                known = _known(subject, topic, read, sinks, quarantine)
                of_topic = replace(limits, committed=_committed(subject.source.source, topic, address))
                made += accounts(subject.source.name, topic, read, known, partial(emitted, project, job), of_topic)
        audits.append(Audit(job, made, findings))
    return audits


def _name(subject: Subject, address: str) -> tuple[str, tuple[str, ...]]:
    """Return what a source's records are known by: topics of one name may be in two Kafkas."""
    return address_of(_client(subject.source.source, address)), tuple(_topics(subject.source.source))


def _known(
    subject: Subject,
    topic: str,
    read: dict[int, Records],
    sinks: list[dict[tuple[str, int], Integers]],
    quarantine: Quarantine,
) -> dict[int, Found]:
    """Return which records of a source's topic are in the job's sinks and in quarantine, by partition."""
    named = "" if subject.source.topic else topic  # rows of one topic alone need not say which it is
    return {
        number: quarantine.of(
            subject.job,
            topic,
            subject.source.name,
            number,
            tuple(sink[named, number] for sink in sinks if (named, number) in sink),
        )
        for number in read
    }


def _committed(source: SourceTable, topic: str, address: str) -> dict[int, int]:
    group = connector_of(source.values).client(source.values).get("group.id")
    return committed(_client(source, address), group, topic) if group else {}


def _client(table: SourceTable, address: str) -> Brokers:
    """Return how a table is reached; `address` are the project's own brokers."""
    return connector_of(table.values).client(table.values) or address


def _topics(table: SourceTable) -> list[str]:
    """Return the topics that a table lists, or those there are that match its pattern."""
    connector = connector_of(table.values)
    return connector.names(table.values) or connector.there(table.values)
