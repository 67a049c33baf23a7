"""Read a project's SQL: with its Kafka's address filled in, and what its clients need beside that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyflink_jobs.local.broker import bootstrap_servers, kafka_properties
from pyflink_jobs.parsing.option import read_options
from pyflink_jobs.parsing.statements import read_sql
from pyflink_jobs.planning.connectors.connector import connector_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.project.settings import Project

__all__ = ["read_project_sql"]


def read_project_sql(project: Project, kafka: str | None = None) -> dict[str, list[Statement]]:
    """Return the statements of each folder of sql/; `kafka` is the broker's address if not None.

    Tables of the project's Kafka that say nothing of security get the properties in `[tool.millstream.kafka]`.
    Raises SqlError for files that cannot be read, and ProjectError for properties without a value.
    """
    address = kafka or bootstrap_servers(project)
    folders = read_sql(project.root, {"KAFKA_BOOTSTRAP_SERVERS": address, **os.environ})
    client = kafka_properties(project)
    if not client:
        return folders
    return {folder: [_connected(s, address, client) for s in statements] for folder, statements in folders.items()}


def _connected(statement: Statement, address: str, client: Mapping[str, str]) -> Statement:
    if statement.kind != "CREATE TABLE":
        return statement
    options = {key: option.value for key, option in read_options(statement).items()}
    return statement.with_options(connector_of(options).connected(options, address, client))
