"""Options that several commands share."""

from __future__ import annotations

import click

__all__ = ["JSON", "JSON_LINES", "TARGET"]

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
JSON_LINES = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
TARGET = click.option("--target", default="local", show_default=True, help="A cluster in pyproject.toml, or `local`.")
