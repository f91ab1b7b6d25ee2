"""Rules of markdown-it that look at lines, at a cost that hostile text cannot choose: by whole lines, and not too many.

What they find is what markdown-it's own find.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from itertools import accumulate
from typing import Any

from markdown_it import MarkdownIt, rules_block
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from desktop_chat.markup.bounded_blocks import within_part

MAX_QUOTE_LINES = 500
"""Of a quotation; what follows is another one. Each line costs as much as it is quoted deep."""

_SPACES = re.compile(r"[ \t]*")


def block_state(source: str, md: MarkdownIt, environment: MutableMapping[str, Any]) -> StateBlock:
    """What `StateBlock` itself makes of ``source``, without a look at every space."""
    state = StateBlock("", md, environment, [])
    state.src = source
    lines = source.split("\n")
    if not lines[-1].strip(" \t"):
        lines.pop()
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines]
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    state.bMarks = [*starts[:-1], len(source)]
    state.eMarks = [*(start - 1 for start in starts[1:]), len(source)]
    state.tShift = [*indents, 0]
    state.sCount = [*indents, 0]
    if "\t" in source:
        state.sCount = [
            *(len(line[:i].expandtabs(4)) for line, i in zip(lines, indents, strict=True)), 0
        ]  # fmt: skip
    state.bsCount = [0] * (len(lines) + 1)
    state.lineMax = len(lines)
    return state


def newline(state: StateInline, silent: bool) -> bool:
    """As markdown-it's, without a look at every space that the next line begins with."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        pending = state.pending
        state.pending = pending.rstrip(" ")
        is_hard = len(pending) - len(state.pending) > 1
        state.push("hardbreak" if is_hard else "softbreak", "br", 0)
    spaces = _SPACES.match(state.src, state.pos + 1, state.posMax)
    state.pos = state.pos + 1 if spaces is None else spaces.end()
    return True


def quotation(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block quote of at most `MAX_QUOTE_LINES` lines."""
    limit = within_part(state, start + MAX_QUOTE_LINES - lines_before(state, start))
    if silent or limit >= end:
        return rules_block.blockquote(state, start, end, silent)
    last = state.lineMax
    state.lineMax = min(last, limit)  # No paragraph goes on behind it.
    try:
        return rules_block.blockquote(state, start, limit, False)
    finally:
        state.lineMax = last


def lines_before(state: StateBlock, start: int) -> int:
    """How much of the block that begins there was read before."""
    lines: int = state.env["lines_before"] if start == state.level == 0 else 0
    return lines
