"""Syntax highlighting by Pygments as spans of token classes; colours are the view's.

A block of code is lexed in steps of `_STEP_LINES` lines, each looking `_AHEAD_LINES` lines further, with the lexer's
state carried from one to the next. A step depends on nothing after that, so a streamed block and the same block read
at once go through the same steps and get the same spans, and an append costs one step whatever the length. Lexing can
pause after any token, so that a flood of code is coloured as far as a frame's allowance goes and further in the next.
"""

from __future__ import annotations

import enum
import functools
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from time import thread_time
from typing import TYPE_CHECKING, Any, NamedTuple

from desktop_chat.markup.languages import lexer_for
from desktop_chat.markup.resumed_lexing import resumed_tokens

if TYPE_CHECKING:
    pass

MAX_CODE = 200_000
"""Characters of one block that are highlighted; the rest stays plain."""

MAX_LINE = 1_000
"""Characters; a longer line (minified code, data) stays plain, and is as an empty one to those around it."""

_STEP_LINES = 8
_AHEAD_LINES = 4
_LOOKS_AT_CLOCK = 16  # tokens
_PATIENCE_S = 0.25
"""CPU time after which a lexer is given up that has not come through a step; the rest of the block stays plain."""


class TokenClass(enum.StrEnum):
    """What a theme gives a colour to."""

    KEYWORD = "keyword"
    STRING = "string"
    COMMENT = "comment"
    NUMBER = "number"
    FUNCTION = "function"
    TYPE = "type"
    BUILTIN = "builtin"
    OPERATOR = "operator"
    INSERTED = "inserted"
    DELETED = "deleted"


class CodeSpan(NamedTuple):
    """Characters ``[start, end)`` of one line, in code points."""

    start: int
    end: int
    token: TokenClass


LineSpans = tuple[CodeSpan, ...]

_CLASSES = {
    "Keyword.Type": TokenClass.TYPE,
    "Keyword": TokenClass.KEYWORD,
    "Name.Function": TokenClass.FUNCTION,
    "Name.Class": TokenClass.TYPE,
    "Name.Exception": TokenClass.TYPE,
    "Name.Namespace": TokenClass.TYPE,
    "Name.Builtin": TokenClass.BUILTIN,
    "Name.Decorator": TokenClass.BUILTIN,
    "Name.Tag": TokenClass.KEYWORD,
    "Name.Attribute": TokenClass.FUNCTION,
    "Name.Constant": TokenClass.NUMBER,
    "Literal.String": TokenClass.STRING,
    "Literal.Number": TokenClass.NUMBER,
    "Literal": TokenClass.NUMBER,
    "Operator.Word": TokenClass.KEYWORD,
    "Operator": TokenClass.OPERATOR,
    "Comment.Preproc": TokenClass.BUILTIN,
    "Comment": TokenClass.COMMENT,
    "Generic.Inserted": TokenClass.INSERTED,
    "Generic.Deleted": TokenClass.DELETED,
    "Generic.Heading": TokenClass.KEYWORD,
    "Generic.Subheading": TokenClass.FUNCTION,
    "Generic.Prompt": TokenClass.COMMENT,
}


@functools.cache
def _token_class(token: Any) -> TokenClass | None:
    while token is not None:
        found = _CLASSES.get(".".join(token))
        if found is not None:
            return found
        token = token.parent
    return None


def warm_up(languages: Iterable[str] = ("python", "javascript", "bash", "json")) -> None:
    """Load the lexers of common languages: the first use of one costs tens of milliseconds."""
    for language in languages:
        highlight_lines(language, "x = 1\n")


def highlight_lines(language: str, code: str) -> list[LineSpans]:
    """The spans of each line of ``code``; empty ones for an unknown language."""
    highlighter = CodeHighlighter(language)
    highlighter.append(code)
    highlighter.finish()
    highlighter.advance(TokenAllowance())
    return highlighter.lines


class TokenAllowance:
    """How many tokens may be lexed still, over all blocks that share it.

    Attributes:
        left: tokens; with no limit from the beginning it never comes to an end.
    """

    __slots__ = ("left",)

    def __init__(self, tokens: int | None = None) -> None:
        self.left = 1 << 60 if tokens is None else tokens


class _Lexing:
    """A part of a block that is being lexed, token by token.

    Attributes:
        is_step: it is a step, whose spans are final; else the rest, which is lexed again when it has grown.
        start / at: from where to where in the block its spans wait to be taken.
        end: where it ends; what follows came later.
        work: takes a token each time.
    """

    __slots__ = ("at", "end", "is_step", "spans", "start", "work")

    def __init__(self, start: int, end: int, *, is_step: bool) -> None:
        self.work: Iterator[None] = iter(())
        self.start = self.at = start
        self.end = end
        self.is_step = is_step
        self.spans: list[tuple[int, int, TokenClass]] = []

    def add(self, start: int, value: str, token: TokenClass | None) -> None:
        self.at = min(start + len(value), self.end)
        if token is not None and start < self.at:
            self.spans.append((start, self.at, token))


class CodeHighlighter:
    """Highlights one block of code while it grows.

    Attributes:
        lines: the spans of each line so far; none for those that were not reached yet.
    """

    def __init__(self, language: str) -> None:
        self.lines: list[LineSpans] = [()]
        self._lexer = lexer_for(language)
        # What is lexed: lines that are too long are empty there.
        self._code = ""
        self._line_length = 0  # of the last line, as it came
        self._starts = [0]
        self._lexed = 0
        self._is_finished = False
        # The first line that goes beyond the code that is lexed, and how many were looked at.
        self._excess: int | None = None
        self._checked = 0
        # Where the next step begins: position, lexer state, and lines it spans at least.
        self._from = 0
        self._state: tuple[str, ...] = ("root",)
        self._step = _STEP_LINES
        self._lexing: _Lexing | None = None
        self._spent = 0.0  # seconds, on what is being lexed
        self._changed = self._stale = range(0)

    def append(self, text: str) -> None:
        """Take more code; it is lexed with the next calls of `advance`."""
        if not text:
            return
        first, *others = text.split("\n")
        was_short = self._line_length <= MAX_LINE
        self._line_length += len(first)
        becomes_long = was_short and self._line_length > MAX_LINE
        if becomes_long:
            self._empty_last_line()
        kept = ["" if self._line_length > MAX_LINE else first]
        kept += (line if len(line) <= MAX_LINE else "" for line in others)
        old_length = len(self._code)
        self._code += "\n".join(kept)
        if others:
            self._line_length = len(others[-1])
        position = self._code.find("\n", old_length)
        while position >= 0:
            self._starts.append(position + 1)
            position = self._code.find("\n", position + 1)
        self.lines += [()] * (len(self._starts) - len(self.lines))
        self._note_excess()
        if self._lexing is not None and not self._lexing.is_step and (becomes_long or self._is_resumable):
            self._lexing = None  # there is more of it now

    def _empty_last_line(self) -> None:
        """Forget the begin of a line that has become too long; what was lexed with it is lexed again."""
        self._code = self._code[: self._starts[-1]]
        self._lexed = 0
        self.lines[-1] = ()
        self._stale = range(len(self.lines) - 1, len(self.lines))

    def finish(self) -> None:
        """The code is complete."""
        self._is_finished = True

    @property
    def is_behind(self) -> bool:
        """Whether there is something to lex in a further `advance`."""
        return self._lexer is not None and (self._lexing is not None or self._has_more())

    def advance(self, allowance: TokenAllowance) -> range:
        """Lex what the allowance allows; returns the lines whose spans may have changed."""
        self._changed, self._stale = self._stale, range(0)
        while self._lexer is not None and allowance.left > 0:
            if self._lexing is None:
                self._lexing, self._spent = self._next(), 0.0
                if self._lexing is None:
                    break
            self._lex(self._lexing, allowance)
        return self._changed

    def _lex(self, lexing: _Lexing, allowance: TokenAllowance) -> None:
        begun = thread_time() - self._spent
        for _ in lexing.work:
            allowance.left -= 1
            if allowance.left % _LOOKS_AT_CLOCK == 0:
                self._spent = thread_time() - begun
                if self._spent > _PATIENCE_S:
                    self._lexer = None
            if self._lexer is None or allowance.left <= 0:
                self._take(lexing)
                return
        self._lexing = None

    @property
    def _is_resumable(self) -> bool:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        # What a lexer adds to its rules (the names of C's library types, say) is done without.
        return isinstance(self._lexer, RegexLexer) and not isinstance(self._lexer, ExtendedRegexLexer)

    def _line_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    def _note_excess(self) -> None:
        """Find the first line that goes too far."""
        while self._excess is None and self._checked < len(self._starts):
            is_last = self._checked + 1 == len(self._starts)
            end = len(self._code) if is_last else self._starts[self._checked + 1]
            if end > MAX_CODE:
                self._excess = self._checked
            if is_last:
                return
            self._checked += 1

    def _give_up(self) -> None:
        """Leave everything plain from where the next step would begin."""
        self._lexer = self._lexing = None
        first = self._line_at(self._from)
        kept = tuple(span for span in self.lines[first] if span.end <= self._from - self._starts[first])
        self.lines[first:] = [kept, *[()] * (len(self._starts) - first - 1)]
        self._note_change(first, len(self.lines))

    def _step_limit(self) -> int:
        """The line up to which the next step looks."""
        return self._line_at(self._from) + self._step + _AHEAD_LINES

    def _has_more(self) -> bool:
        waiting = len(self._code) - self._lexed
        if self._is_finished or self._is_resumable or self._excess is not None:
            return waiting > 0
        # Such lexers read a text as a whole: from some length on not for every piece of it.
        return waiting > 0 and (waiting >= self._lexed // 4 or self._lexed <= MAX_LINE)

    def _next(self) -> _Lexing | None:
        """What to lex next: a step that is complete, or else the rest."""
        if not self._is_resumable:
            if self._excess is not None:
                self._give_up()
                return None
            return self._rest() if self._has_more() else None
        limit = self._step_limit()
        if self._excess is not None and limit > self._excess:
            self._give_up()
            return None
        if limit < len(self._starts):
            found = _Lexing(self._from, self._starts[limit], is_step=True)
            found.work = self._lex_step(found, limit)
            return found
        return self._rest() if self._has_more() else None

    def _lex_step(self, lexing: _Lexing, limit: int) -> Iterator[None]:
        end = self._starts[limit - _AHEAD_LINES]
        for start, token, value, state in self._tokens(self._code[: self._starts[limit]]):
            if start >= end and state is not None:
                lexing.at = start
                self._take(lexing)
                self._from, self._state, self._step = start, state, _STEP_LINES
                return
            lexing.add(start, value, token)
            yield
        self._step *= 2  # One token reaches beyond: a long comment or string.

    def _rest(self) -> _Lexing:
        found = _Lexing(self._from, len(self._code), is_step=False)
        found.work = self._lex_rest(found)
        return found

    def _lex_rest(self, lexing: _Lexing) -> Iterator[None]:
        # Some rules (those of diffs, say) take a line with its end only; the last line has none.
        code, length = self._code, len(self._code)
        for start, token, value, _ in self._tokens(code if code.endswith("\n") else code + "\n"):
            lexing.add(start, value, token)
            yield
        lexing.at = length
        self._take(lexing)
        self._lexed = length

    def _tokens(self, code: str) -> Iterator[tuple[int, TokenClass | None, str, tuple[str, ...] | None]]:
        """Tokens from where the next step begins, each with the lexer state before it if lexing can begin there."""
        lexer = self._lexer
        if lexer is None:
            return
        if self._is_resumable:
            found = resumed_tokens(lexer, code, self._from, self._state)
        else:
            found = ((at, token, value, None) for at, token, value in lexer.get_tokens_unprocessed(code))
        for position, token, value, state in found:
            yield position, _token_class(token), value, state

    def _take(self, lexing: _Lexing) -> None:
        """Replace the spans of what ``lexing`` has been through since it was last taken."""
        start, end = lexing.start, min(lexing.at, len(self._code))
        spans, lexing.spans, lexing.start = lexing.spans, [], end
        first, last = self._line_at(start), self._line_at(end)
        fresh: list[list[CodeSpan]] = [[] for _ in range(first, last + 1)]
        fresh[0] += (span for span in self.lines[first] if span.end <= start - self._starts[first])
        for from_, to, token in spans:
            line = self._line_at(from_)
            while from_ < to:
                line_start = self._starts[line]
                line_end = self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self._code)
                stop = min(to, line_end)
                if from_ < stop:
                    fresh[line - first].append(CodeSpan(from_ - line_start, stop - line_start, token))
                line += 1
                from_ = line_end + 1
        if end < len(self._code):
            fresh[-1] += (span for span in self.lines[last] if span.start >= end - self._starts[last])
        for index, found in enumerate(fresh, first):
            line_spans = tuple(found)
            if self.lines[index] != line_spans:
                self.lines[index] = line_spans
                self._note_change(index, index + 1)

    def _note_change(self, first: int, end: int) -> None:
        known = self._changed
        self._changed = range(min(known.start, first), max(known.stop, end)) if known else range(first, end)
