"""The handlers of one `ask`, chosen on the command line, and what they say at the end."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable

from desktop_chat.chat.buffering import AtCharacters, AtLines, AtWords, BufferedText, FlushPolicy
from desktop_chat.chat.counters import CharacterCounter, StopAfterTokens, WordCounter
from desktop_chat.chat.handlers import StreamHandler, StreamResult, installed_handler_classes
from desktop_chat.chat.summary import summary_line
from desktop_chat.cli.arguments import HANDLERS, UsageError
from desktop_chat.cli.display import DimReasoning, FormattedText, Output, Progress
from desktop_chat.cli.figures import analytics_table
from desktop_chat.domain.metrics import Metrics


class Consumers:
    """Makes the handlers and prints their findings.

    Args:
        stop: ends the turn.
        metrics: takes a snapshot of the turn.

    Raises:
        UsageError: ``--handlers`` names one that is not installed.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        output: Output,
        stop: Callable[[], None],
        metrics: Callable[[], Metrics],
    ) -> None:
        self._options = options
        self._output = output
        self._stop = stop
        self._metrics = metrics
        self._words: WordCounter | None = None
        self._characters: CharacterCounter | None = None
        self._installed = _installed([name for name in options.handlers if name not in HANDLERS])

    def handlers(self) -> list[StreamHandler]:
        """The handlers in the order in which they hear of a delta; a stop rule is the last."""
        options, stderr = self._options, sys.stderr
        names = options.handlers
        shows_text = "display" in names and not options.json
        chosen: list[StreamHandler] = []
        if stderr.isatty() and shows_text:
            chosen.append(DimReasoning(stderr))
        if options.progress:
            gives_way = shows_text and stderr.isatty() and self._output.is_terminal
            chosen.append(Progress(stderr, self._metrics, gives_way=gives_way))
        if shows_text:
            chosen.append(self._display())
        if "words" in names:
            self._words = WordCounter()
            chosen.append(self._words)
        if "characters" in names:
            self._characters = CharacterCounter()
            chosen.append(self._characters)
        chosen += self._installed
        if options.stop_after is not None:
            chosen.append(StopAfterTokens(options.stop_after, self._stop))
        return chosen

    def report(self, result: StreamResult) -> None:
        """The figures, on standard error."""
        lines = []
        if self._words is not None:
            lines.append(f"words: {self._words.words}")
        if self._characters is not None:
            lines.append(f"characters: {self._characters.characters}")
        if self._options.analytics:
            lines.append(analytics_table(result.metrics))
        if not self._options.json and (result.error is None or result.metrics.tokens):
            lines.append(summary_line(result))
        if lines:
            sys.stderr.write("\n".join(lines) + "\n")

    def _display(self) -> StreamHandler:
        match self._options.format:
            case "terminal":
                from desktop_chat.cli.formats import TerminalBlocks

                width = min(shutil.get_terminal_size().columns, 100)
                return FormattedText(TerminalBlocks(width), self._output.write_raw)
            case "html":
                from desktop_chat.cli.formats import HtmlBlocks

                return FormattedText(HtmlBlocks(), self._output.write_raw)
            case _:
                return BufferedText(self._output.write, _flush_policy(self._options.buffer))


def _flush_policy(buffer: int | str | None) -> FlushPolicy:
    match buffer:
        case "line":
            return AtLines()
        case "word":
            return AtWords()
        case int(count):
            return AtCharacters(count)
        case _:
            return AtCharacters(1)


def _installed(names: list[str]) -> list[StreamHandler]:
    """Instances of handlers that other packages offer. Raises UsageError for an unknown name."""
    if not names:
        return []
    offered = dict(installed_handler_classes())
    unknown = [name for name in names if name not in offered]
    if unknown:
        known = ", ".join([*HANDLERS, *sorted(offered)])
        raise UsageError(f"there is no handler {unknown[0]!r}; choose from {known}")
    return [offered[name]() for name in names]
