"""Quarantined records with their original bytes: those kept with them, or those that Kafka still has."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local.topics import read_at
from pyflink_jobs.planning.project_tables import ProjectTables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.quarantine.records import Quarantined

__all__ = ["as_json", "export", "originals"]


def originals(project: Project, records: Sequence[Quarantined]) -> list[bytes | None]:
    """Return the original bytes of each record, None if they are no longer available."""
    kept = [record.kept for record in records]
    wanted = {record.place for record, bytes_ in zip(records, kept, strict=True) if bytes_ is None and record.place}
    in_kafka: dict[tuple[str, int, int], bytes | None] = {}
    tables = ProjectTables(project)
    for topic in sorted({topic for topic, _, _ in wanted}):
        in_kafka |= read_at(tables.client(topic), sorted(place for place in wanted if place[0] == topic))
    return [
        in_kafka.get(record.place) if bytes_ is None and record.place else bytes_
        for record, bytes_ in zip(records, kept, strict=True)
    ]


def as_json(record: Quarantined, original: bytes | None) -> str:
    """Return a record as one line of JSON: its fields, and the bytes as `record`, or `record_base64` if not UTF-8."""
    fields: dict[str, Any] = {name: value for name, value in record.fields.items() if name != "record"}
    if original is None:
        return json.dumps({**fields, "record": None})
    try:
        return json.dumps({**fields, "record": original.decode()})
    except UnicodeDecodeError:
        return json.dumps({**fields, "record_base64": base64.b64encode(original).decode()})


def export(file: Path, project: Project, records: Sequence[Quarantined]) -> int:
    """Write records to a file, one per line, atomically; return how many have no original bytes."""
    found = originals(project, records)
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{as_json(r, bytes_)}\n" for r, bytes_ in zip(records, found, strict=True))
        part.replace(file)
    except OSError as error:
        raise MillstreamError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return found.count(None)
