"""The topics that the flights are sent to: created, and empty unless the user wants to keep their records."""

from __future__ import annotations

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.demo.flights import TOPICS
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics

__all__ = ["make_ready", "refuse_records"]


def refuse_records(bootstrap: str) -> None:
    """Raise KafkaError where a topic of TOPICS has records: flights that are sent twice are counted twice.

    Also raises it where the broker does not answer.
    """
    held = {topic.name: topic.records for topic in _existing(bootstrap) if topic.records}
    if held:
        raise KafkaError(
            "the topics have records already, and sending the flights again would count them twice",
            facts=tuple(f"topic {name}: {count:,} records" for name, count in held.items()),
            fixes=("delete them first: --fresh", "add other flights to them: --append"),
        )


def make_ready(bootstrap: str, *, fresh: bool) -> None:
    """Create the topics of TOPICS that are missing at `bootstrap`; with `fresh`, delete those that exist first.

    Raises KafkaError where the broker does not answer or refuses.
    """
    if fresh:
        delete(bootstrap, list(TOPICS))
    topics.create(bootstrap, {name: topic.partitions for name, topic in TOPICS.items()})


def _existing(bootstrap: str) -> list[topics.Topic]:
    return [topic for topic in topics.list_topics(bootstrap) if topic.name in TOPICS]
