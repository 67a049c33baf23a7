"""Send records to a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kafka
from kafka.errors import KafkaError as ClientError

from pyflink_jobs.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["send_records"]


def send_records(bootstrap: str, topic: str, values: Iterable[bytes]) -> int:
    """Send `values` in order, wait until the broker has them all, and return their number.

    Raises KafkaError if it refuses one or does not answer.
    """
    try:
        with kafka.KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
            sent = [producer.send(topic, value) for value in values]
            producer.flush()
            for future in sent:
                future.get()
    except ClientError as error:
        raise KafkaError(f"{bootstrap} did not accept the records for `{topic}`: {error}") from error
    return len(sent)
