"""Markdown to blocks and to safe HTML. No Qt, no I/O, no event loop.

Importing this package costs next to nothing: the grammar, Pygments and ziamath are imported at first use, or by
`warm_up` in an idle moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_chat.markup.blocks import Patch, SourceBlock

if TYPE_CHECKING:
    from desktop_chat.markup.incremental import IncrementalParser

__all__ = ["IncrementalParser", "Patch", "SourceBlock", "parse", "plain_text", "to_html", "warm_up"]


def parse(text: str) -> tuple[SourceBlock, ...]:
    """The blocks of a whole text; see `desktop_chat.markup.parser`."""
    from desktop_chat.markup import parser

    return parser.parse(text)


def plain_text(text: str) -> str:
    """The text without its markup; see `desktop_chat.markup.plain`."""
    from desktop_chat.markup import plain

    return plain.plain_text(text)


def to_html(text: str) -> str:
    """The text as a safe HTML fragment; see `desktop_chat.markup.html`."""
    from desktop_chat.markup import html

    return html.to_html(text)


def warm_up() -> None:
    """Import and prepare what the first answer would otherwise wait for."""
    from desktop_chat.markup import highlighting, incremental

    highlighting.warm_up()
    parser = incremental.IncrementalParser()
    parser.append("# *a*\n\n- `b`\n\n| c |\n|---|\n| d |\n")
    parser.finish()


def __getattr__(name: str) -> object:
    if name == "IncrementalParser":
        from desktop_chat.markup.incremental import IncrementalParser

        return IncrementalParser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
