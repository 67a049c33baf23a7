"""A connector of ten lines: folders, whose files are named and can be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.planning.connectors.connector import Connector

if TYPE_CHECKING:
    from collections.abc import Mapping


class Folder(Connector):
    """Flink's `filesystem`."""

    kinds = ("filesystem",)
    messages = True
    replayable = True

    def names(self, options: Mapping[str, str]) -> list[str]:
        return [options["path"]]

    def dry_run(self, options: Mapping[str, str], name: str) -> dict[str, str]:
        return {"path": f"{options['path']}-{name}"}
