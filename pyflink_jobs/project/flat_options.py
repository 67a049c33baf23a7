"""Options by their full names: YAML and TOML may nest them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["flat_options"]


def flat_options(content: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return options as texts, by their full names.

    >>> flat_options({"ssl": {"truststore": {"type": "PEM"}}, "enabled": True})
    {'ssl.truststore.type': 'PEM', 'enabled': 'true'}
    """
    options: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            options |= flat_options(value, f"{prefix}{key}.")
        else:
            options[f"{prefix}{key}"] = _text(value)
    return options


def _text(value: object) -> str:
    if isinstance(value, list):
        return ";".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
