"""Markdown to blocks and to safe HTML. No Qt, no I/O, no event loop.

Importing this package costs next to nothing: the grammar, Pygments and ziamath are imported at first use.
"""

from __future__ import annotations

from desktop_chat.markup.blocks import Patch, SourceBlock

__all__ = ["Patch", "SourceBlock", "parse", "to_html"]


def parse(text: str) -> tuple[SourceBlock, ...]:
    """The blocks of a whole text; see `desktop_chat.markup.parser`."""
    from desktop_chat.markup import parser

    return parser.parse(text)


def to_html(text: str) -> str:
    """The text as a safe HTML fragment; see `desktop_chat.markup.html`."""
    from desktop_chat.markup import html

    return html.to_html(text)
