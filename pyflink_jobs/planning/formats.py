"""How records become rows and back.

JSON and Avro are read by Java classes of our own (pyflink_jobs/java): plain JSON straight from its bytes, Avro with its
own decoder, each record from its own bytes. They give the same rows as Flink's in less time, and can keep what cannot
be decoded as a row that says why. A package brings a format by an entry point of the group `millstream.formats`, whose
value is a subclass of `Format`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pyflink_jobs.planning.extensions import extensions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT_KEYS", "Avro", "Format", "Json", "format_of", "with_fast_formats"]

FORMAT_KEYS = ("format", "value.format")
"""The options that name the format of a record's value."""


class Format:
    """A base class, and what is assumed of a format that no other class knows: Flink's own reads and writes it."""

    name: ClassVar[str] = ""
    """Flink's identifier, as in 'format' = '...'."""

    fast: ClassVar[str] = ""
    """The identifier of a format that gives the same rows and bytes, with the same options; "" for none."""

    checked: ClassVar[str] = ""
    """The identifier of a format that decodes the same, and keeps records that it cannot decode; "" for none.

    It has two metadata columns: `error`, why a record cannot be decoded, and `record`, its bytes.
    """

    readable: ClassVar[bool] = False
    """Whether commands can read its records as JSON."""

    silent: ClassVar[str] = ""
    """The option that makes Flink's decoder drop what it cannot decode."""

    def fields(self, record: bytes | None) -> dict[str, Any] | None:  # noqa: ARG002 - for formats with names
        """Return the fields of a key or value by their names in it; None where it has no names, or cannot be read."""
        return None

    @property
    def keeps_undecodable(self) -> bool:
        """Whether a record that cannot be decoded can still become a row."""
        return bool(self.checked)


class Json(Format):
    """JSON objects."""

    name = "json"
    fast = "quick-json"
    checked = "checked-json"
    readable = True
    silent = "json.ignore-parse-errors"

    def fields(self, record: bytes | None) -> dict[str, Any] | None:
        """Return the object that a key or value is."""
        try:
            found = json.loads(record or b"")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class Avro(Format):
    """Avro without a registry."""

    name = "avro"
    fast = "quick-avro"
    checked = "checked-avro"


def format_of(options: Mapping[str, str]) -> Format:
    """Return the format of the records' values of a table with these options."""
    named = [options[key] for key in FORMAT_KEYS if key in options]
    return next((one for one in extensions("millstream.formats") if one.name in named), Format())


def with_fast_formats(options: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return options that name the fast format in place of Flink's, and the keys of those that they replace."""
    given: dict[str, str] = {}
    gone: list[str] = []
    for key in FORMAT_KEYS:
        known = format_of({key: options.get(key, "")})
        if known.fast:
            prefix = key.removesuffix("format")
            theirs = [option for option in options if option.startswith(f"{prefix}{known.name}.")]
            given |= {option.replace(f"{known.name}.", f"{known.fast}.", 1): options[option] for option in theirs}
            given[key] = known.fast
            gone += theirs
    return given, gone
