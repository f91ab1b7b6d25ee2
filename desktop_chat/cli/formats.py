"""The answer in another form while it comes: each block is written once it can no longer change."""

from __future__ import annotations

from collections.abc import Sequence

from desktop_chat.cli.terminal import set_blocks
from desktop_chat.markup import to_html
from desktop_chat.markup.blocks import SourceBlock
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.markup.source import LineEnds


class _Blocks:
    """Feeds the incremental parser and hands on what it has settled."""

    def __init__(self) -> None:
        self._parser = IncrementalParser()
        self._written = 0

    def feed(self, text: str) -> str:
        self._parser.append(text)
        while self._parser.is_behind:
            self._parser.update()
        return self._up_to(self._parser.frozen)

    def flush(self) -> str:
        self._parser.finish()
        return self._up_to(len(self._parser.blocks))

    def _up_to(self, end: int) -> str:
        settled = self._parser.blocks[self._written : end]
        written, self._written = self._written, max(end, self._written)
        return self.written(settled, follows=written > 0) if settled else ""

    def written(self, blocks: Sequence[SourceBlock], *, follows: bool) -> str:
        """The output for some settled blocks; ``follows`` says that others are already out."""
        raise NotImplementedError


class TerminalBlocks(_Blocks):
    """Blocks set with ANSI styles.

    Args:
        width: of the terminal, in columns.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def written(self, blocks: Sequence[SourceBlock], *, follows: bool) -> str:
        lines = set_blocks([found.block for found in blocks], self._width)
        return "\n".join(["", *lines] if follows else lines) + "\n"


class HtmlBlocks(_Blocks):
    """An HTML fragment a block. What is defined further down (footnotes, link references) cannot be known yet
    and stays as it was written; ``render --html`` sets the finished text."""

    def __init__(self) -> None:
        super().__init__()
        self._line_ends = LineEnds()
        self._lines: list[str] = []
        self._rest = ""

    def feed(self, text: str) -> str:
        self._keep_lines(self._line_ends.feed(text))
        return super().feed(text)

    def flush(self) -> str:
        self._keep_lines(self._line_ends.flush())
        self._lines.append(self._rest)
        return super().flush()

    def written(self, blocks: Sequence[SourceBlock], *, follows: bool) -> str:
        return "".join(
            f"{to_html(chr(10).join(self._lines[found.first_line : found.end_line]))}\n" for found in blocks
        )

    def _keep_lines(self, text: str) -> None:
        *whole, self._rest = (self._rest + text).split("\n")
        self._lines += whole
