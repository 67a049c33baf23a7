"""The options of Python's Kafka client for the properties of Java's, as a table has them: `properties.*`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from socket import create_connection
from typing import Any, TypeAlias

from pyflink_jobs.errors import KafkaError
from pyflink_jobs.masking import remember_options

__all__ = ["Brokers", "address", "client_arguments", "is_known", "listens"]

Brokers: TypeAlias = str | Mapping[str, str]
"""How Kafka is reached: the address of its brokers, or the properties of a Java client, with its security."""

_QUICK = 0.5  # seconds
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_LOGIN = re.compile(r"\b(username|password)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)')")
_PEM = {"ssl.truststore": "ssl_cafile", "ssl.keystore": "ssl_certfile"}


def address(brokers: Brokers) -> str:
    """Return the address of the brokers, for messages.

    >>> address({"bootstrap.servers": "kafka:9092", "security.protocol": "SASL_SSL"})
    'kafka:9092'
    """
    return brokers if isinstance(brokers, str) else brokers.get("bootstrap.servers", "")


def client_arguments(brokers: Brokers) -> dict[str, Any]:
    """Return the arguments of a client in Python; raises KafkaError for a security that it does not have."""
    if isinstance(brokers, str):
        return {"bootstrap_servers": brokers}
    remember_options(brokers)
    found: dict[str, Any] = {"bootstrap_servers": address(brokers)}
    protocol = brokers.get("security.protocol", "PLAINTEXT").upper()
    if protocol != "PLAINTEXT":
        found["security_protocol"] = protocol
    if protocol.startswith("SASL"):
        found |= _login(brokers)
    if protocol.endswith("SSL"):
        found |= _certificates(brokers)
    return found


def is_known(brokers: Brokers) -> bool:
    """Return whether a client in Python can reach brokers as Java's does: else commands and checks leave them alone."""
    try:
        client_arguments(brokers)
    except KafkaError:
        return False
    return True


def listens(brokers: Brokers) -> bool:
    """Return whether a server listens at one of the addresses: a client would ask for seconds before it gives up."""
    for one in address(brokers).split(","):
        host, _, port = one.rpartition("://")[2].strip().rpartition(":")
        with suppress(OSError, ValueError), create_connection((host.strip("[]"), int(port)), _QUICK):
            return True
    return False


def _login(properties: Mapping[str, str]) -> dict[str, str]:
    mechanism = properties.get("sasl.mechanism", "GSSAPI")
    given = {
        name: (a or b).replace('\\"', '"') for name, a, b in _LOGIN.findall(properties.get("sasl.jaas.config", ""))
    }
    if mechanism not in _MECHANISMS or len(given) < len(("username", "password")):
        raise _unknown(
            properties,
            f"'properties.sasl.mechanism' = '{mechanism}'",
            f'{", ".join(_MECHANISMS)}, with username="..." and password="..." in \'properties.sasl.jaas.config\'',
        )
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": given["username"],
        "sasl_plain_password": given["password"],
    }


def _certificates(properties: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for store, argument in _PEM.items():
        if location := properties.get(f"{store}.location"):
            kind = properties.get(f"{store}.type", "JKS")
            if kind != "PEM":
                raise _unknown(properties, f"'properties.{store}.type' = '{kind}'", "files of type PEM")
            found[argument] = location
    if password := properties.get("ssl.key.password"):
        found["ssl_password"] = password
    if properties.get("ssl.endpoint.identification.algorithm") == "":
        found["ssl_check_hostname"] = False
    return found


def _unknown(properties: Mapping[str, str], found: str, known: str) -> KafkaError:
    return KafkaError(
        f"commands cannot read from Kafka at {address(properties)}: {found}",
        facts=(f"Flink can, with Java's client; commands use Python's, which knows {known}",),
        fixes=(
            "give the table one of these, which Flink knows too",
            "read the topic with Kafka's own tools, such as kafka-console-consumer.sh",
        ),
    )
