"""What the unfinished end of a streamed text will most likely become, so that it does not flicker.

Two parts: `shown` holds back a last line that is not yet anything (``-``, ``1.``, ``| Name |``), and
`unfinished_tokens` reads a last paragraph as if its open markup were closed (``**bo`` is bold already). Neither
touches what a finished text looks like.
"""

from __future__ import annotations

import re

from markdown_it.token import Token

from desktop_chat.markup import syntax
from desktop_chat.markup.allowance import Budget
from desktop_chat.markup.emphasis import is_cjk
from desktop_chat.markup.watch import Watch

_REACH = 400
"""How many characters back open markup is believed to be markup; older marks are most likely meant literally."""

_LONGEST_MARKS = 1_000
"""Characters of a line of marks that may still become something; a longer one is text, unless quotations begin it."""

_TRAILING = "*_~`\\$<["
_ONLY_MARKS = re.compile(
    r"[ \t]*(?:>[ \t]*)*"  # in quotes
    r"(?:[-+*#>=_~`|:$\\\[\s]*"
    r"|(?:[-+*]|\d{1,9}[.)]?)\s*(?:\[[ xX]?\]?)?\s*"  # a list marker, a task box
    r"|[`~]{3,}[^`\n]*"  # a fence
    r"|\[[^\]\n]*\]:.*|\[\^[^\]\n]*)$"  # a definition
)
_TILDES = re.compile("~*")
_TABLE_LINE = re.compile(r"[ ]{0,3}\|")
_DELIMITER_LINE = re.compile(r"[ ]{0,3}[|:\- \t]*-[|:\- \t]*$")
_DELIMITER_START = re.compile(r"[|:\- \t]*$")
_FENCE_CLOSER = re.compile(r"[ ]{0,3}[`~]*[ \t]*$")
_UNFINISHED_TARGET = re.compile(r"\]\([^)\n]*$")


def shown(source: str, *, in_fence: bool = False, in_table: bool = False) -> str:
    """``source`` without a last line that may still become something else."""
    start = source.rfind("\n") + 1
    line = source[start:]
    if in_fence:
        return source[:start] if line and _FENCE_CLOSER.match(line) else source
    may_become = len(line) <= _LONGEST_MARKS or line.lstrip(" ").startswith(">")
    if line and may_become and _ONLY_MARKS.match(line):
        source, line = source[:start], ""
    if in_table:
        return source
    return _without_table_header(source)


def _without_table_header(source: str) -> str:
    """Without the first lines of what may be a table, until the delimiter row has decided it."""
    if "|" not in source[-400:]:
        return source
    end = len(source)
    lines: list[tuple[int, str]] = []
    while end > 0 and len(lines) < 3:
        stop = end - 1 if source[end - 1] == "\n" else end
        start = source.rfind("\n", 0, stop) + 1
        line = source[start:stop]
        if not _TABLE_LINE.match(line):
            break
        lines.append((start, line))
        end = start
    if not lines or len(lines) > 2:
        return source
    start, _header = lines[-1]
    if len(lines) == 2 and not (_DELIMITER_START.match(lines[0][1]) and not source.endswith("\n")):
        return source
    return source[:start]


def unfinished_tokens(content: str, environment: syntax.Environment, before: Budget) -> list[Token]:
    """The inline tokens of an unfinished paragraph, its open markup closed, half a link or formula left out.

    Says in ``environment["nothing_open"]`` whether there was nothing to close.
    """
    whole = content
    kept = content.rstrip(_TRAILING)
    if content.startswith("[", len(kept)):
        kept = kept.removesuffix("!")
    content = kept.rstrip()
    watch = Watch()
    tokens = syntax.inline_tokens(content, environment, watch=watch, before=before)
    since = len(content) - _REACH
    marks = [(at, mark) for at, mark in watch.marks if at >= since]
    opened = [
        (at, mark if mark != "~" else _TILDES.match(content, at)[0])  # type: ignore[index]
        for at, mark in watch.open_delimiters()
        if at >= since and _opens_word(content, at)
    ]
    environment["nothing_open"] = content == whole and not watch.marks and not watch.open_delimiters()
    if not marks and not opened:
        return tokens
    completed = _completed(content, marks, opened)
    return tokens if completed == content else syntax.inline_tokens(completed, environment, before=before)


def _opens_word(content: str, at: int) -> bool:
    """Whether a delimiter stands before a word; within one (``5*3``) it is most likely a sign."""
    return at == 0 or not content[at - 1].isalnum() or is_cjk(content[at - 1])


def _completed(content: str, marks: list[tuple[int, str]], opened: list[tuple[int, str]]) -> str:
    head, closers = content, ""
    code = next(((at, mark) for at, mark in marks if mark[0] == "`"), None)
    if code is not None:
        at, closers = code
        head, closers = content[:at], content[at:] + closers
    formula = next((at for at, mark in marks if at < len(head) and _starts_formula(content, at, mark)), None)
    if formula is not None:
        head, closers = content[:formula].rstrip(), ""
    for at, mark in reversed(marks):
        if at >= len(head) or mark not in ("[", "!["):
            continue
        label = head[at + len(mark) :]
        target = _UNFINISHED_TARGET.search(label)
        if target is None and "]" in label.removesuffix("]"):
            continue  # Brackets that are meant as such.
        if mark == "![" or label.startswith("^"):
            head, closers = head[:at], ""
        else:
            head = head[:at] + (label[: target.start()] if target else label.removesuffix("]"))
    emphasis = "".join(mark for at, mark in reversed(opened) if at < len(head))
    return head + closers + emphasis if closers else head.rstrip() + emphasis


def _starts_formula(content: str, at: int, mark: str) -> bool:
    """Whether a mark that found no end is more likely TeX than money or a variable."""
    if mark[0] not in "$\\":
        return False
    after = content[at + 1 : at + 2]
    return mark != "$" or ((after.isalpha() or after == "\\") and not syntax.is_in_word(content, at))
