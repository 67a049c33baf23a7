"""Send records to a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kafka
from kafka.errors import KafkaError as ClientError

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.kafka_client import address, client_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.local.kafka_client import Brokers

__all__ = ["send_records"]


def send_records(brokers: Brokers, topic: str, values: Iterable[bytes]) -> int:
    """Send `values` in order, wait until the broker has them all, and return their number.

    Raises KafkaError if it refuses one or does not answer.
    """
    try:
        with kafka.KafkaProducer(**client_arguments(brokers), linger_ms=5) as producer:
            sent = [producer.send(topic, value) for value in values]
            producer.flush()
            for future in sent:
                future.get()
    except ClientError as error:
        raise KafkaError(f"{address(brokers)} did not accept the records for `{topic}`: {error}") from error
    return len(sent)
