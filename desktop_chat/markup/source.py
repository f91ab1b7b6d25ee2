"""The source text as the grammar sees it: what a line is, and which characters cannot be shown."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n?")


def normalized(text: str) -> str:
    """``text`` with LF line ends and U+FFFD for NUL, as CommonMark has it; line numbers count these lines."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    return text.replace("\x00", "\ufffd")
