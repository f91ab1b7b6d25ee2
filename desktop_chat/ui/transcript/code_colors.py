"""Colours for code, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from desktop_chat.ui.transcript.code_run import ColoredSpan
from desktop_chat.ui.transcript.typography import Typography


class CodeColors:
    """Plain text colour for every token."""

    def __init__(self, typography: Typography) -> None:
        self._typography = typography

    def lines(
        self, key: object, code: str, language: str, *, closed: bool  # noqa: ARG002 - one colour for all
    ) -> Sequence[Sequence[ColoredSpan]]:
        return ()
