"""A project's tables, for commands that read records: topics, format and client come from each table's options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pyflink_jobs.errors import KafkaError, MillstreamError
from pyflink_jobs.local.broker import bootstrap_servers, kafka_properties
from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.formats import FORMAT_KEYS, format_of
from pyflink_jobs.planning.project_sql import read_project_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.local.kafka_client import Brokers
    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.project.settings import Project

__all__ = ["ProjectTables"]


@dataclass(frozen=True)
class ProjectTables:
    """The tables that a project declares; what it does not declare is taken to be JSON in a topic of that name."""

    project: Project

    @cached_property
    def declared(self) -> Mapping[str, SourceTable]:
        """The tables by name; raises SqlError for files that cannot be read."""
        every = (s for statements in read_project_sql(self.project).values() for s in statements)
        return {t.label: t for s in every if s.kind == "CREATE TABLE" and (t := read_source(s))}

    @cached_property
    def _bootstrap(self) -> str:
        return bootstrap_servers(self.project)

    @cached_property
    def _kafka(self) -> Brokers:
        """How a client reaches the project's Kafka, whatever its tables say."""
        properties = kafka_properties(self.project)
        return {"bootstrap.servers": self._bootstrap, **properties} if properties else self._bootstrap

    def options(self, name: str) -> dict[str, str]:
        """Return the options of a table."""
        if name in self.declared:
            return self.declared[name].values
        client = self.client()
        known = {"bootstrap.servers": client} if isinstance(client, str) else client
        kafka = {"connector": "kafka", "topic": name, "format": "json"}
        return {**kafka, **{f"properties.{key}": value for key, value in known.items()}}

    def shown(self, name: str) -> str:
        """Return where a table is, for messages: "topic `flights-drift` in Kafka at kafka:9092"."""
        options = self.options(name)
        connector = connector_of(options)
        topics = ", ".join(f"`{topic}`" for topic in connector.names(options)) or f"`{options.get('topic-pattern')}`"
        where = connector.client(options).get("bootstrap.servers")
        return f"topic {topics}" + (f" in Kafka at {where}" if where else "")

    def records(self, name: str, *, needed: bool = True) -> list[Record]:
        """Return the records of a table whose values are JSON; of a topic that is not there, and not `needed`, none.

        Raises KafkaError for a topic that is needed, another format, and what cannot be read.
        """
        options = self.options(name)
        if not format_of(options).readable:
            written = next((options[key] for key in FORMAT_KEYS if key in options), "no format")
            raise KafkaError(
                f"commands cannot read table `{name}`: its records are {written}, expected json",
                place=self.declared[name].statement.place(),
                fixes=("write 'format' = 'json'", f"read {self.shown(name)} with a client of that format"),
            )
        found = connector_of(options).records(options)
        if found is None and needed:
            place = self.declared[name].statement.place() if name in self.declared else None
            raise KafkaError(
                f"table `{name}`: there is no {self.shown(name)}",
                place=place,
                facts=("a job that scores writes to it, and creates it",),
                fixes=(
                    f"run the job: millstream run JOB; it needs a table `{name}` in sql/sinks/{name}.sql",
                    "see what topics there are: millstream topics",
                ),
            )
        return found or []

    def client(self, topic: str | None = None) -> Brokers:
        """Return how a topic is reached: as a table reads it, or else as a table reads from the project's Kafka.

        Without such a table, and in a project whose SQL cannot be read, it is the project's address.
        """
        try:
            tables = [table.values for table in self.declared.values()]
        except MillstreamError:
            return self._kafka
        clients = [(options, connector_of(options).client(options)) for options in tables]
        of_topic = [c for options, c in clients if c and topic and connector_of(options).reads(options, topic)]
        same = [client for _, client in clients if client.get("bootstrap.servers") == self._bootstrap]
        return next(iter([*of_topic, *same]), None) or self._kafka

    def topics(self, name: str) -> list[str]:
        """Return the topics of a table, by its name; of another name, the name itself: it is a topic's."""
        try:
            options = self.declared[name].values
        except (KeyError, MillstreamError):
            return [name]
        return connector_of(options).names(options) or [name]
