"""A section of the report, as HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

__all__ = ["Section", "section_html"]


@dataclass(frozen=True)
class Section:
    """A section of the report: a title, paragraphs, an SVG element or "", and a caption.

    Words between backticks are shown as code. `level` is that of the heading; `alt` is the chart's text for screen
    readers, by default the title.
    """

    title: str
    svg: str = ""
    caption: str = ""
    paragraphs: tuple[str, ...] = ()
    level: int = 2
    alt: str = ""


def section_html(section: Section) -> str:
    """Return a section as HTML; its text is escaped."""
    parts = [f"<h{section.level}>{escape(section.title)}</h{section.level}>"]
    parts += [f"<p>{_words(paragraph)}</p>" for paragraph in section.paragraphs]
    if section.svg:
        alt = escape(section.alt or section.title)
        svg = section.svg.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
        parts.append(f"<figure>\n{svg}\n<figcaption>{_words(section.caption)}</figcaption>\n</figure>")
    return "\n".join(parts)


def _words(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
