"""Colours for code, line by line, kept while a block grows."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from PySide6.QtGui import QTextCharFormat

from desktop_chat.markup.highlighting import CodeHighlighter, LineSpans, TokenClass
from desktop_chat.ui.transcript.code_run import ColoredSpan
from desktop_chat.ui.transcript.typography import Typography, color


class _Coloring:
    """One block's highlighter and what it has said so far."""

    def __init__(self, language: str) -> None:
        self.code = ""
        self.highlighter = CodeHighlighter(language)
        self.is_finished = False
        self.lines: list[Sequence[ColoredSpan]] = []


class CodeColors:
    """Turns token classes into the theme's colours; an appended block costs what was appended."""

    def __init__(self, typography: Typography) -> None:
        palette = typography.theme.palette
        self._formats: dict[TokenClass, QTextCharFormat] = {}
        for token in TokenClass:
            made = QTextCharFormat()
            made.setForeground(color(getattr(palette, f"syntax_{token.value}")))
            if token is TokenClass.COMMENT:
                made.setFontItalic(True)
            self._formats[token] = made
        self._blocks: WeakKeyDictionary[object, _Coloring] = WeakKeyDictionary()

    def lines(
        self, key: object, code: str, language: str, *, closed: bool
    ) -> Sequence[Sequence[ColoredSpan]]:
        """The coloured spans of each line of ``code``; ``key`` names the block it is the present text of."""
        known = self._blocks.get(key)
        if known is None or known.is_finished or not code.startswith(known.code):
            known = self._blocks[key] = _Coloring(language)
        changed = known.highlighter.append(code[len(known.code) :])
        known.code = code
        if closed:
            changed = min(changed, known.highlighter.finish())
            known.is_finished = True
        known.lines[changed:] = [self._colored(line) for line in known.highlighter.lines[changed:]]
        return list(known.lines)

    def _colored(self, line: LineSpans) -> Sequence[ColoredSpan]:
        return tuple(ColoredSpan(span.start, span.end, self._formats[span.token]) for span in line)
