"""Colours for code, line by line, kept while a block grows, and given within a frame's allowance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

from PySide6.QtGui import QTextCharFormat

from desktop_chat.markup.highlighting import CodeHighlighter, LineSpans, TokenAllowance, TokenClass
from desktop_chat.ui.transcript.code_run import Colored, ColoredSpan, LineColors
from desktop_chat.ui.transcript.typography import Typography, color

TOKENS_A_FRAME: Final = 160
"""Of all code together, about 2 ms of lexing: no answer comes as fast."""


class _Coloring:
    """One block's highlighter and what it has said so far."""

    def __init__(self, language: str) -> None:
        self.code = ""
        self.highlighter = CodeHighlighter(language)
        self.is_finished = False
        self.lines: list[Sequence[ColoredSpan]] = []


class CodeColors:
    """Turns token classes into the theme's colours; an appended block costs what was appended.

    What is beyond the allowance stays without colours until `go_on`.
    """

    def __init__(self, typography: Typography, tokens_a_frame: int | None = None) -> None:
        """Without ``tokens_a_frame`` all code gets its colours at once."""
        palette = typography.theme.palette
        self._formats: dict[TokenClass, QTextCharFormat] = {}
        for token in TokenClass:
            made = QTextCharFormat()
            made.setForeground(color(getattr(palette, f"syntax_{token.value}")))
            if token is TokenClass.COMMENT:
                made.setFontItalic(True)
            self._formats[token] = made
        self._blocks: WeakKeyDictionary[Colored, _Coloring] = WeakKeyDictionary()
        self._behind: WeakKeyDictionary[Colored, None] = WeakKeyDictionary()
        self._tokens_a_frame = tokens_a_frame
        self._allowance = TokenAllowance(tokens_a_frame)

    def lines(self, block: Colored, code: str, language: str, *, closed: bool) -> LineColors:
        """The colours of ``code``, the present text of ``block``."""
        known = self._blocks.get(block)
        is_known = known is not None and not known.is_finished and code.startswith(known.code)
        if known is None or not is_known:
            known = self._blocks[block] = _Coloring(language)
        known.highlighter.append(code[len(known.code) :])
        known.code = code
        if closed:
            known.highlighter.finish()
            known.is_finished = True
        found = self._advanced(block, known)
        return found if is_known else LineColors(found.lines, range(len(found.lines)))

    @property
    def is_behind(self) -> bool:
        """Whether code waits for colours."""
        return bool(self._behind)

    def go_on(self) -> None:
        """Colour more of the blocks that wait for it, the last that came first."""
        for block in reversed(list(self._behind)):
            if self._allowance.left <= 0:
                break
            block.recolor(self._advanced(block, self._blocks[block]))

    def end_frame(self) -> None:
        """Grant the next frame its allowance."""
        self._allowance = TokenAllowance(self._tokens_a_frame)

    def _advanced(self, block: Colored, known: _Coloring) -> LineColors:
        highlighter = known.highlighter
        changed = highlighter.advance(self._allowance)
        known.lines += [()] * (len(highlighter.lines) - len(known.lines))
        for line in changed:
            known.lines[line] = self._colored(highlighter.lines[line])
        if highlighter.is_behind:
            self._behind[block] = None
        else:
            self._behind.pop(block, None)
        return LineColors(known.lines, changed)

    def _colored(self, line: LineSpans) -> Sequence[ColoredSpan]:
        return tuple(ColoredSpan(span.start, span.end, self._formats[span.token]) for span in line)
