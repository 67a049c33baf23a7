"""What the formats 'checked-json' and 'checked-avro' make of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer

from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker

__all__ = ["decoded"]


def decoded(
    environment: TableEnvironment, broker: Broker, topic: str, form: str, records: Sequence[bytes | None], columns: str
) -> list[tuple[Any, ...]]:
    """Send records to a new topic; return the columns of each and its error. Its bytes are those that were sent."""
    topics.create(broker.bootstrap_servers, {topic: 1})
    with KafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for record in records:
            producer.send(topic, record, b"key")
    environment.execute_sql(
        f"CREATE TEMPORARY TABLE `{topic}` ({columns}, _e STRING METADATA FROM 'value.error' VIRTUAL, "
        "_r BYTES METADATA FROM 'value.record' VIRTUAL, _o BIGINT METADATA FROM 'offset' VIRTUAL) "
        f"WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'checked-{form}', "
        f"'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', "
        f"'properties.bootstrap.servers' = '{broker.bootstrap_servers}')"
    )
    with environment.execute_sql(f"SELECT * FROM `{topic}`").collect() as rows:
        found = sorted((tuple(row) for row in rows), key=lambda row: int(row[-1]))
    assert [row[-2] and bytes(row[-2]) for row in found] == [*records]
    return [row[:-2] for row in found]
