"""Delete topics, so that the demo starts with empty ones."""

from __future__ import annotations

import time

from kafka import KafkaAdminClient

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics

__all__ = ["delete"]

DELETED_WITHIN = 20  # seconds


def delete(bootstrap: str, names: list[str]) -> list[topics.Topic]:
    """Delete the topics that exist, and return them when the broker has deleted them: only then can they be created.

    Raises KafkaError where the broker does not answer or takes longer than 20 s.
    """
    there = [topic for topic in topics.list_topics(bootstrap) if topic.name in names]
    if not there:
        return []
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_topics([topic.name for topic in there])
        deadline = time.monotonic() + DELETED_WITHIN
        while left := set(names) & set(admin.list_topics()):
            if time.monotonic() > deadline:
                raise KafkaError(
                    f"Kafka at {bootstrap} has not deleted {', '.join(sorted(left))} in {DELETED_WITHIN} s"
                )
            time.sleep(0.05)
    return there
