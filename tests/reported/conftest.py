"""A broker as operators have it: with a login, and Kafka's own limits of transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local import kafka_server
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import find_java
from pyflink_jobs.local.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "me"
PASSWORD = "secret-of-kafka's"  # noqa: S105 - of a broker that lives as long as the tests


@dataclass(frozen=True)
class SecuredKafka:
    """The address that asks for a login, and the one beside it that does not."""

    address: str
    plain: str
    user: str = USER
    password: str = PASSWORD

    @property
    def client(self) -> dict[str, str]:
        """The properties of a client with the login."""
        return {
            "bootstrap.servers": self.address,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.plain.PlainLoginModule"
            f' required username="{self.user}" password="{self.password}";',
        }


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Start the broker; it ends with the process."""
    home = tmp_path_factory.mktemp("secured")
    command = kafka_server.command(find_java(), jars("kafka"))
    plain, secured = kafka_server.free_port(0), kafka_server.free_port(0)
    kafka_server.configure(home, "127.0.0.1", plain)
    file = home / "server.properties"
    text = file.read_text().replace("transaction.max.timeout.ms=3600000", "")
    text = text.replace("PLAINTEXT:PLAINTEXT,", "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,")
    text = text.replace("listeners=PLAINTEXT://", f"listeners=SASL_PLAINTEXT://127.0.0.1:{secured},PLAINTEXT://")
    login = "listener.name.sasl_plaintext.plain.sasl.jaas.config"
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    text += "sasl.enabled.mechanisms=PLAIN\ninter.broker.listener.name=PLAINTEXT\n"
    text += f'{login}={module} required user_{USER}="{PASSWORD}";\n'
    file.write_text(text)
    kafka_server.format_data(home, command)
    process = kafka_server.launch(home, f"127.0.0.1:{plain}", command, [])
    yield SecuredKafka(f"127.0.0.1:{secured}", f"127.0.0.1:{plain}")
    end(process)
