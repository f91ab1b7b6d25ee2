"""A growing paragraph, settled at points where no markup is open.

Such a point lies behind a space and before a word or a picture, or between two letters of a script that may do
without spaces, and the text before it, read on its own, leaves nothing open that later text could close: no emphasis,
code, formula, bracket or tag. Reading both parts apart then gives what reading the whole gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from desktop_chat.markup import syntax
from desktop_chat.markup.allowance import (
    ALL_SPENT,
    LETTER,
    PICTURES,
    Budget,
    count_marks,
    markup_end,
    markup_weight,
)
from desktop_chat.markup.blocks import Block, Heading, InlineImage, InlineMath, InlineText, Paragraph, Span
from desktop_chat.markup.grammar import Piece, inline_element
from desktop_chat.markup.open_blocks import OpenBlock, Parsed
from desktop_chat.markup.parser import inline_text
from desktop_chat.markup.watch import Watch

_SETTLE_FROM = 700
"""Characters of unsettled paragraph from which settling is tried."""

_KEPT = 160
"""Characters at the end that stay unsettled: what is being written now."""

_LINE = 8
"""A line break counts as so many characters more: it costs as much to read."""

_MARK = 3
"""A mark counts as so many more."""

_STEP = 150
"""Characters that must have come before it is tried again."""

_STAND_IN = "x"
"""A word in place of the settled text, with the space or line feed behind it. Where the text was settled within a
word, its last letter stands for it: what follows is read by that alone."""

_LONG_LINE = syntax.MAX_RULE
_LINE_MARKS = "-=_*|:+~`#>$\\ \t.)0123456789"
"""What lines that begin or end other blocks are made of; a long line with anything else is text."""

_POINT = re.compile(rf"(?<=[^\s\\][ \n])(?=[^\W_]|[{PICTURES}])")
_TEXT = re.compile(rf"[^\W\d_]|[{PICTURES}]")
_WITHIN_WORD = re.compile(rf"(?<={LETTER})(?={LETTER})")
_REACH = 64
"""Characters looked through for a place within a word."""
_ADDRESS = re.compile(r"[:@]|www")
"""What a word has that may be an address: it would go on behind any letter."""
_BRACKET = re.compile(r"[\[\]]")
_OPEN_TAG = re.compile(r"<[A-Za-z/!?]")
_UNFINISHED_TAG = re.compile(
    r"<(?:!|\?|/?[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w:.-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?)*"
    r"\s*(?:/|=\s*(?:'[^']*|\"[^\"]*)?|[A-Za-z_:][\w:.-]*\s*(?:=\s*(?:'[^']*|\"[^\"]*|[^\s\"'=<>`]*)?)?)?$)"
)
_MONEY = re.compile(r"\$\d[\d.,]*\s+[A-Za-z]{2}")


class OpenParagraph(OpenBlock):
    """A paragraph (or what becomes a heading by its underline), settled piece by piece."""

    def __init__(self) -> None:
        self._text = ""
        self._spans: tuple[Span, ...] = ()
        self._objects: tuple[InlineMath | InlineImage, ...] = ()
        self._read = self._spent = 0
        self._try_at = _SETTLE_FROM

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, (Paragraph, Heading)):
            return None  # The line the rest is on has become the header of a table.
        content = self._with(rest.content, len(self.prelude))
        return Paragraph(content) if isinstance(rest, Paragraph) else Heading(rest.level, content)

    def _with(self, rest: InlineText, skipped: int) -> InlineText:
        """The settled text followed by ``rest`` without its first ``skipped`` characters, the stand-in."""
        if len(rest.text) < skipped:  # The next line begins another block.
            return InlineText(self._text.rstrip(" "), self._spans, self._objects)
        shift = len(self._text) - skipped
        spans = tuple(
            Span(span.start + shift, span.end + shift, span.style, span.href) for span in rest.spans
        )
        objects = tuple(
            InlineMath(found.position + shift, found.tex)
            if isinstance(found, InlineMath)
            else InlineImage(found.position + shift, found.alt, found.url)
            for found in rest.objects
        )
        return InlineText(self._text + rest.text[skipped:], self._spans + spans, self._objects + objects)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        if not isinstance(rest, Paragraph):
            return None
        content = piece.tokens[1].content
        extent = len(content) + _LINE * content.count("\n") + _MARK * count_marks(content)
        if extent < self._try_at or (not self.prelude and syntax.may_be_definition(content)):
            return None
        begin = parsed.source.find(content, parsed.offset(piece.first_line))
        complete = parsed.offset(parsed.complete) - begin
        end = markup_end(content, self.before)
        point = self._point(content, complete, end)
        if point is None:
            self._try_at = extent + _STEP
            return None
        settled = content[:point]
        watch = Watch()
        element = inline_element(settled, parsed.environment, watch, end)
        if point <= end and _leaves_open(settled, element, watch):
            self._try_at = extent + _STEP
            return None
        skipped = len(self.prelude)
        whole = self._with(inline_text(element, parsed.numbers), skipped)
        self._text, self._spans, self._objects = whole.text, whole.spans, whole.objects
        self._read += point - skipped
        self._spent = ALL_SPENT if point > end else self._spent + markup_weight(settled)
        self.prelude = self._stand_in(settled[-1], is_plain=point > end)
        self.before = Budget(self._read - len(self.prelude), self._spent)
        self._try_at = _SETTLE_FROM
        return begin + point

    @staticmethod
    def _stand_in(last: str, *, is_plain: bool) -> str:
        if last.isspace():
            return _STAND_IN + last
        return _STAND_IN + " " if is_plain else last

    def _point(self, content: str, complete: int, end: int) -> int | None:
        """The last place to settle up to, whose line is surely part of the paragraph up to there.

        Behind ``end`` all is plain text, and any place within a word will do.
        """
        start, stop = len(self.prelude) + 1, len(content) - _KEPT
        places = [match.start() for match in _POINT.finditer(content, start, stop)]
        places += _within_last_word(content, start, stop)
        if (
            end < stop
            and not content[stop - 1 : stop + 1].isspace()
            and len(content[stop - 1 : stop + 1].split()) == 1
        ):
            places.append(stop)
        for at in sorted(places, reverse=True):
            if at > stop:
                continue
            begin = content.rfind("\n", 0, at) + 1
            stop = content.find("|", begin, at)
            if stop < 0:
                if at <= complete or _is_text(content[begin:at]):
                    return at
                stop = begin  # less of the line is no text either
        return None


def _within_last_word(content: str, start: int, stop: int) -> list[int]:
    """The last place near ``stop`` between two letters of a word, unless it is an address."""
    places = [match.start() for match in _WITHIN_WORD.finditer(content, max(start, stop - _REACH), stop)]
    if not places:
        return []
    at = places[-1]
    begin = max(content.rfind(" ", 0, at), content.rfind("\n", 0, at)) + 1
    return [] if _ADDRESS.search(content, begin, at) else [at]


def _is_text(line: str) -> bool:
    """Whether an unfinished line that begins so is surely part of the paragraph."""
    if len(line) <= _LONG_LINE:
        return _TEXT.search(line) is not None
    begin = line[:_LONG_LINE]
    return _TEXT.search(begin) is not None or bool(begin.strip(_LINE_MARKS)) or not begin.strip("*")


def open_paragraph(block: Block, piece: Piece, parsed: Parsed) -> tuple[OpenBlock, int] | None:
    """As `open_blocks.open_block`, for a paragraph."""
    if not isinstance(block, Paragraph):
        return None
    opened = OpenParagraph()
    rest = opened.settle(block, piece, parsed)
    return None if rest is None else (opened, rest)


def _leaves_open(content: str, element: Element, watch: Watch) -> bool:
    """Whether text that follows could change how ``content`` reads."""
    if watch.open_delimiters():
        return True
    for at, mark in watch.marks:
        if mark in ("[", "!["):
            continue
        if mark != "$" or not _is_money(content, at):
            return True
    if "[" in content:
        text = "".join(_plain_text(element))
        if "](" in text or _has_open_bracket(text):
            return True
    return any(_UNFINISHED_TAG.match(content, match.start()) for match in _OPEN_TAG.finditer(content))


def _has_open_bracket(text: str) -> bool:
    depth = 0
    for mark in _BRACKET.findall(text):
        depth = depth + 1 if mark == "[" else max(0, depth - 1)
    return depth > 0


def _is_money(content: str, at: int) -> bool:
    """Whether no text to come can make a formula begin at this dollar sign."""
    return (
        _MONEY.match(content, at) is not None
        or content[at + 1 : at + 2].isspace()
        or syntax.is_in_word(content, at)
    )


def _plain_text(element: Element) -> Iterator[str]:
    """The text of an element outside code and formulas."""
    if element.tag not in ("code", "formula"):
        yield element.text or ""
        for child in element:
            yield from _plain_text(child)
            yield child.tail or ""
