"""A part of the report's page, as HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

__all__ = ["Section", "section_html"]


@dataclass(frozen=True)
class Section:
    """A part of the page: a title, paragraphs, an SVG element ("": none), and a sentence that says what to see in it.

    Words between backticks are shown as code. `level` is that of the heading; `alt` is read aloud in the picture's
    place, by default the title.
    """

    title: str
    svg: str = ""
    caption: str = ""
    paragraphs: tuple[str, ...] = ()
    level: int = 2
    alt: str = ""


def section_html(section: Section) -> str:
    """Return it as HTML; no text in it can become markup."""
    parts = [f"<h{section.level}>{escape(section.title)}</h{section.level}>"]
    parts += [f"<p>{_words(paragraph)}</p>" for paragraph in section.paragraphs]
    if section.svg:
        alt = escape(section.alt or section.title)
        svg = section.svg.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
        parts.append(f"<figure>\n{svg}\n<figcaption>{_words(section.caption)}</figcaption>\n</figure>")
    return "\n".join(parts)


def _words(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
