"""Text from records, safe to show."""

from __future__ import annotations

__all__ = ["visible"]


def visible(text: str) -> str:
    r"""Write as \xNN what is not for printing, so that a record cannot move the cursor or ring the bell."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
