"""What a person typed, as blocks."""

from __future__ import annotations

import re
from typing import Final

from desktop_chat.markup.blocks import Block, CodeBlock, RawText

_USER_FENCE: Final = re.compile(
    r"^ {0,3}(`{3,}|~{3,})([^\n`]*)\n(.*?)(?:\n {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)


def typed_blocks(text: str) -> list[tuple[int, Block]]:
    """What a person typed, as typed: line breaks kept and nothing interpreted but fenced code.

    Returns each block with the source line it begins on.
    """
    found: list[tuple[int, Block]] = []
    position = 0

    def add_text(start: int, end: int) -> None:
        raw = text[start:end].strip("\n")
        if raw.strip():
            begin = start + len(text[start:end]) - len(text[start:end].lstrip("\n"))
            found.append((text.count("\n", 0, begin), RawText(raw)))

    for match in _USER_FENCE.finditer(text):
        add_text(position, match.start())
        info = match.group(2).split()
        code = CodeBlock(info[0] if info else "", match.group(3).rstrip("\n"))
        found.append((text.count("\n", 0, match.start()), code))
        position = match.end()
    add_text(position, len(text))
    return found or [(0, RawText(text))]
