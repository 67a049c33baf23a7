"""Exactly-once tables take one INSERT a job: each INSERT has a sink of its own, and two would share transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding

if TYPE_CHECKING:
    from pyflink_jobs.planning.declarations import Job

__all__ = ["check_inserts"]

_GUARANTEE = "sink.delivery-guarantee"


def check_inserts(job: Job) -> list[Finding]:
    """Return a finding for each INSERT of a job into an exactly-once table that has one already.

    Millstream adds one to each system table of the job.
    """
    first = dict.fromkeys(job.system_tables, "Millstream's own")
    findings = []
    for insert in job.inserts:
        name = insert.name or ""
        if name in first and name in job.tables and job.tables[name].option(_GUARANTEE) == "exactly-once":
            findings.append(
                Finding(
                    f"a second INSERT into `{name}`, whose sink is exactly-once",
                    insert.place(),
                    facts=(
                        f"the first: {first[name]}",
                        "each INSERT has a sink of its own; two would commit and abort each other's transactions",
                    ),
                    fixes=(
                        "write one INSERT, with UNION ALL between what were two",
                        "give each a table, with another 'sink.transactional-id-prefix'",
                    ),
                )
            )
        first.setdefault(name, str(insert.place()))
    return findings
