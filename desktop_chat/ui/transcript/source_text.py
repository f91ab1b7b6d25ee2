"""A part of a paragraph as Markdown source, for copying what was selected."""

from __future__ import annotations

from desktop_chat.markup.blocks import LINE_BREAK, InlineImage, InlineMath, InlineText, Span, Style


def markdown_of(content: InlineText) -> str:
    """The Markdown that reads as ``content``."""
    pieces: list[str] = []
    position = 0
    for span in content.spans:
        pieces.append(_plain(content, position, span.start))
        pieces.append(_marked(_plain(content, span.start, span.end), span))
        position = span.end
    pieces.append(_plain(content, position, len(content.text)))
    return "".join(pieces).replace(LINE_BREAK, "\n")


def _plain(content: InlineText, start: int, end: int) -> str:
    text = content.text[start:end]
    for item in reversed(content.objects):
        if start <= item.position < end:
            place = item.position - start
            text = text[:place] + _object(item) + text[place + 1 :]
    return text


def _object(item: InlineMath | InlineImage) -> str:
    return f"${item.tex}$" if isinstance(item, InlineMath) else f"![{item.alt}]({item.url})"


def _marked(text: str, span: Span) -> str:
    bare = text.strip()
    if not bare:
        return text
    style = span.style
    marked = bare
    if style & Style.FOOTNOTE:
        marked = f"[^{bare}]"
    if style & Style.CODE:
        ticks = "``" if "`" in bare else "`"
        marked = f"{ticks}{bare}{ticks}"
    for flag, mark in ((Style.STRIKE, "~~"), (Style.ITALIC, "*"), (Style.BOLD, "**")):
        if style & flag:
            marked = f"{mark}{marked}{mark}"
    if span.href:
        marked = f"[{marked}]({span.href})"
    return text.replace(bare, marked, 1)
