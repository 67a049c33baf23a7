"""Text of records, safe to print."""

from __future__ import annotations

__all__ = ["visible"]


def visible(text: str) -> str:
    r"""Replace unprintable characters by \xNN, so that a record cannot move the cursor or ring the bell."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
