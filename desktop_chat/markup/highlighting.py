"""Syntax highlighting by Pygments as spans of token classes; colours are the view's.

A block of code is lexed in steps of `_STEP_LINES` lines, each looking `_AHEAD_LINES` lines further, with the lexer's
state carried from one to the next. A step depends on nothing after that, so a streamed block and the same block read
at once go through the same steps and get the same spans, and an append costs one step whatever the length.
"""

from __future__ import annotations

import enum
import functools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 200_000
"""Characters of one block that are highlighted; the rest stays plain."""

MAX_LINE = 2_000
"""Characters; from the first longer line on (minified code, data) a block stays plain."""

_STEP_LINES = 8
_AHEAD_LINES = 4
_PATIENCE_S = 0.25
"""After so long in one call a lexer is given up for the block, whose rest stays plain."""


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
_ALIASES = {
    "jsonc": "json",
    "json5": "json",
    "shellscript": "bash",
    "proto": "protobuf",
    "node": "js",
    "kt": "kotlin",
    "vue": "html",
}
_NAME = re.compile(r"[\w+#.-]+")


@functools.cache
def _token_class(token: Any) -> TokenClass | None:
    while token is not None:
        found = _CLASSES.get(".".join(token))
        if found is not None:
            return found
        token = token.parent
    return None


@functools.lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    """The lexer for a fence's language, ``None`` for plain text and what Pygments does not know."""
    match = _NAME.match(language.strip().lower().removeprefix("{").removeprefix("."))
    if match is None or match[0] in ("text", "plain", "plaintext", "txt"):
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(_ALIASES.get(match[0], match[0]), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


_DISPLAY_NAMES = {
    "": "", "text": "Text", "txt": "Text", "plain": "Text", "plaintext": "Text", "sh": "Shell", "shell": "Shell",
    "docker": "Dockerfile", "dockerfile": "Dockerfile", "jsonc": "JSON with comments", "json5": "JSON5", "vue": "Vue",
    "console": "Console", "latex": "LaTeX", "r": "R", "jsx": "JSX", "tsx": "TSX",
}  # fmt: skip


def language_name(language: str) -> str:
    """What a fence's language is called; as it was written where Pygments does not know it."""
    alias = language.strip().lower()
    found = _DISPLAY_NAMES.get(alias)
    return _pygments_names().get(_ALIASES.get(alias, alias), language) if found is None else found


@functools.cache
def _pygments_names() -> Mapping[str, str]:
    from pygments.lexers import get_all_lexers

    return {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}


def warm_up(languages: Iterable[str] = ("python", "javascript", "bash", "json")) -> None:
    """Load the lexers of common languages: the first use of one costs tens of milliseconds."""
    for language in languages:
        highlight_lines(language, "x = 1\n")


def highlight_lines(language: str, code: str) -> list[LineSpans]:
    """The spans of each line of ``code``; empty ones for an unknown language."""
    highlighter = CodeHighlighter(language)
    highlighter.append(code)
    highlighter.finish()
    return highlighter.lines


class CodeHighlighter:
    """Highlights one block of code while it grows.

    Attributes:
        lines: the spans of each line so far.
    """

    def __init__(self, language: str) -> None:
        self.lines: list[LineSpans] = [()]
        self._lexer = _lexer(language)
        self._code = ""
        self._starts = [0]
        self._lexed = 0
        # The first line that is too long, and how many were looked at.
        self._excess: int | None = None
        self._checked = 0
        # Where the next step begins: position, lexer state, lines it spans at least, and tokens that reach beyond.
        self._from = 0
        self._state: tuple[str, ...] = ("root",)
        self._step = _STEP_LINES

    def append(self, text: str) -> int:
        """Take more code; returns the first line whose spans may have changed."""
        old_length = len(self._code)
        self._code += text
        position = self._code.find("\n", old_length)
        while position >= 0:
            self._starts.append(position + 1)
            position = self._code.find("\n", position + 1)
        changed = self._line_at(self._from)
        self.lines += [()] * (len(self._starts) - len(self.lines))
        self._note_excess()
        if self._lexer is None:
            return max(0, self._line_at(old_length))
        if not self._is_resumable:
            if self._excess is not None:
                self._give_up()
                return 0
            # Such lexers read a text as a whole: from some length on not for every piece of it.
            if len(self._code) - self._lexed < self._lexed // 4 and self._lexed > MAX_LINE:
                return self._line_at(old_length)
            self._lex_rest()
            return 0
        self._settle()
        self._lex_rest()
        return changed

    def finish(self) -> int:
        """The code is complete; returns the first line whose spans may have changed."""
        if self._lexer is not None and self._lexed < len(self._code):
            self._lex_rest()
            return 0
        return len(self.lines)

    @property
    def _is_resumable(self) -> bool:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        # What a lexer adds to its rules (the names of C's library types, say) is done without.
        return isinstance(self._lexer, RegexLexer) and not isinstance(self._lexer, ExtendedRegexLexer)

    def _line_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    def _note_excess(self) -> None:
        """Find the first line that is too long, or with which the code is."""
        while self._excess is None and self._checked < len(self._starts):
            start = self._starts[self._checked]
            is_last = self._checked + 1 == len(self._starts)
            end = len(self._code) if is_last else self._starts[self._checked + 1]
            if end - start > MAX_LINE or end > MAX_CODE:
                self._excess = self._checked
            if is_last:
                return
            self._checked += 1

    def _give_up(self) -> None:
        """Leave everything plain from where the next step would begin."""
        self._lexer = None
        first = self._line_at(self._from)
        kept = tuple(span for span in self.lines[first] if span.end <= self._from - self._starts[first])
        self.lines[first:] = [kept, *[()] * (len(self._starts) - first - 1)]

    def _settle(self) -> None:
        """Lex all steps that are complete."""
        while self._lexer is not None:
            target = self._line_at(self._from) + self._step
            limit = target + _AHEAD_LINES
            if self._excess is not None and limit >= self._excess:
                self._give_up()
                return
            if limit >= len(self._starts):
                return
            end = self._starts[target]
            spans: list[tuple[int, int, TokenClass]] = []
            for start, token, value, state in self._tokens(self._code[: self._starts[limit]]):
                if start >= end and state is not None:
                    self._write(self._from, start, spans)
                    self._from, self._state, self._step = start, state, _STEP_LINES
                    break
                if token is not None:
                    spans.append((start, start + len(value), token))
            else:
                self._step *= 2  # One token reaches beyond: a long comment or string.

    def _lex_rest(self) -> None:
        # Some rules (those of diffs, say) take a line with its end only; the last line has none.
        tokens = self._tokens(self._code if self._code.endswith("\n") else self._code + "\n")
        spans = [(start, start + len(value), token) for start, token, value, _ in tokens if token is not None]
        self._write(self._from, len(self._code), spans)
        self._lexed = len(self._code)

    def _tokens(self, code: str) -> Iterator[tuple[int, TokenClass | None, str, tuple[str, ...] | None]]:
        """Tokens from where the next step begins, each with the lexer state before it if lexing can begin there."""
        lexer = self._lexer
        if lexer is None:
            return
        until = perf_counter() + _PATIENCE_S
        if self._is_resumable:
            found = _resumed_tokens(lexer, code, self._from, self._state)
        else:
            found = ((at, token, value, None) for at, token, value in lexer.get_tokens_unprocessed(code))
        for position, token, value, state in found:
            yield position, _token_class(token), value, state
            if perf_counter() > until:
                self._lexer = None
                return

    def _write(self, start: int, end: int, spans: list[tuple[int, int, TokenClass]]) -> None:
        """Replace the spans of the characters ``[start, end)``."""
        first, last = self._line_at(start), self._line_at(end)
        kept = tuple(span for span in self.lines[first] if span.end <= start - self._starts[first])
        fresh: list[list[CodeSpan]] = [[] for _ in range(first, last + 1)]
        fresh[0] += kept
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
        for index, found in enumerate(fresh, first):
            line_spans = tuple(found)
            if self.lines[index] != line_spans:
                self.lines[index] = line_spans


def _resumed_tokens(
    lexer: Any, code: str, position: int, state: tuple[str, ...]
) -> Iterator[tuple[int, Any, str, tuple[str, ...] | None]]:
    """`RegexLexer.get_tokens_unprocessed` from a position and a state on, telling the state before each token.

    Pygments' own takes a state to begin with but neither a position nor tells the state it ends in.
    """
    from pygments.token import Error, Whitespace, _TokenType

    rules = lexer._tokens  # noqa: SLF001 - the compiled rules have no public name
    stack = list(state)
    while True:
        for match, action, new_state in rules[stack[-1]]:
            found = match(code, position)
            if found is None:
                continue
            before = tuple(stack)
            if action is not None:
                if type(action) is _TokenType:
                    yield position, action, found.group(), before
                else:
                    for at, token, value in action(lexer, found):
                        yield at, token, value, (before if at == position else None)
            position = found.end()
            _move(stack, new_state)
            break
        else:
            if position >= len(code):
                return
            if code[position] == "\n":
                yield position, Whitespace, "\n", tuple(stack)
                stack = ["root"]
            else:
                yield position, Error, code[position], tuple(stack)
            position += 1


def _move(stack: list[str], new_state: Any) -> None:
    """A rule's change of state, as `RegexLexer` has it."""
    if new_state is None:
        return
    if isinstance(new_state, tuple):
        for state in new_state:
            if state == "#pop":
                if len(stack) > 1:
                    stack.pop()
            elif state == "#push":
                stack.append(stack[-1])
            else:
                stack.append(state)
    elif isinstance(new_state, int):
        if abs(new_state) >= len(stack):
            del stack[1:]
        else:
            del stack[new_state:]
    else:
        stack.append(stack[-1])
