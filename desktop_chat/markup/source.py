"""The source text as the grammar sees it: LF line ends, no NUL. Line numbers count these lines."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n?")


def normalized(text: str) -> str:
    """``text`` with LF line ends, and U+FFFD for NUL as CommonMark has it."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    return text.replace("\x00", "\ufffd")


class LineEnds:
    """`normalized` for a text that comes in pieces: CR and LF may come apart."""

    def __init__(self) -> None:
        self._held = ""
        self._flushed = False

    def feed(self, text: str) -> str:
        if self._flushed and text:
            text, self._flushed = text.removeprefix("\n"), False
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        return normalized(text.removesuffix("\r"))

    def flush(self) -> str:
        """The line end that was held back because a line feed might have followed."""
        self._flushed = self._flushed or bool(self._held)
        self._held = ""
        return "\n" if self._flushed else ""
