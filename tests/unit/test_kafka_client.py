"""The options of Python's Kafka client for what a table says to Java's."""

from __future__ import annotations

import pytest

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.kafka_client import address, client_arguments, is_known
from pyflink_jobs.planning.connectors.kafka import Kafka
from pyflink_jobs.running.job_topics import brokers

HOST = {"bootstrap.servers": "h:9093"}
LOGIN = {"sasl.jaas.config": 'a.b.ScramLoginModule required username="me" password="a \\"quoted\\" one";'}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, {}),
        ({"security.protocol": "PLAINTEXT", "group.id": "g", **LOGIN}, {}),
        (
            {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", **LOGIN},
            {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": "me",
                "sasl_plain_password": 'a "quoted" one',
            },
        ),
        (
            {
                "security.protocol": "ssl",
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": "/ca.pem",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": "/me.pem",
                "ssl.key.password": "k",
                "ssl.endpoint.identification.algorithm": "",
            },
            {
                "security_protocol": "SSL",
                "ssl_cafile": "/ca.pem",
                "ssl_certfile": "/me.pem",
                "ssl_password": "k",
                "ssl_check_hostname": False,
            },
        ),
    ],
)
def test_the_arguments_of_a_client(properties: dict[str, str], expected: dict[str, object]) -> None:
    assert client_arguments(HOST | properties) == {"bootstrap_servers": "h:9093", **expected}
    assert address(HOST | properties) == "h:9093"


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"security.protocol": "SASL_SSL"}, "'properties.sasl.mechanism' = 'GSSAPI'"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}, "mechanism' = 'OAUTHBEARER'"),
        ({"security.protocol": "SSL", "ssl.truststore.location": "/a.jks"}, "'properties.ssl.truststore.type' = 'JKS'"),
    ],
)  # fmt: skip
def test_what_python_does_not_know_is_refused(properties: dict[str, str], found: str) -> None:
    with pytest.raises(KafkaError, match="commands cannot read from Kafka at h:9093") as caught:
        client_arguments(HOST | properties)
    assert found in str(caught.value)
    assert not is_known(HOST | properties)


def test_a_job_is_not_refused_for_what_flink_alone_knows() -> None:
    kerberos = {"properties.bootstrap.servers": "h:9093", "properties.security.protocol": "SASL_SSL", "topic": "t"}
    Kafka().refuse_missing({"t": kerberos})
    Kafka().create([kerberos])
    assert Kafka().longest_transaction(kerberos) is None
    assert brokers({"t": kerberos}) == {}
