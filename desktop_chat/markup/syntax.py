"""The syntax: CommonMark and GFM by markdown-it-py, with the rules that model answers need besides.

Beyond GFM: TeX (``$x$``, ``$$x$$``, ``\\(x\\)``, ``\\[x\\]``), footnotes, emphasis that closes beside CJK text and
after punctuation (``**bold:**text``). Every rule that could nest, rescan or recurse without end is capped; what
lies beyond a cap is shown as text, never dropped.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from markdown_it import MarkdownIt, rules_block, rules_inline
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from desktop_chat.markup.allowance import NOTHING_READ, Budget, markup_end
from desktop_chat.markup.bounded_blocks import part_rule, tokenize, within_part
from desktop_chat.markup.emphasis import emphasis
from desktop_chat.markup.line_rules import block_state, lines_before, newline, quotation
from desktop_chat.markup.watch import (
    Watch,
    code_left_open,
    formula_left_open,
    image_left_open,
    link_left_open,
    nothing_left_open,
    watched,
)

BlockRule = Callable[[StateBlock, int, int, bool], bool]
Environment = MutableMapping[str, Any]

MAX_QUOTE_DEPTH = 8
MAX_LIST_DEPTH = 9
MAX_NESTING = 60
MAX_COLUMNS = 64
MAX_RULE = 1_000
"""Characters of a line that draws a rule; a longer one is text."""

MAX_CELLS = 50_000
"""Of a table; the rows that follow are shown as they are written."""

MAX_FORMULA = 2_000
_STOP = re.compile(r"[\n$&*<@\[\\\]_`~]|!(?=\[)|w(?=ww\.)|(?<=http):(?=//)|(?<=https):(?=//)")
"""Where the inline rules below may begin; markdown-it's own set also stops at marks that no rule here reads."""

_MAX_LABEL = 1_000
_LABEL = re.compile(rf"\[(?:\\[\s\S]|[^\[\]\\]){{0,{_MAX_LABEL}}}\\?")

_PRICE = re.compile(r"\d[\d.,]*(?:\s+[A-Za-z]{2}|[.,]?\s*$)")
_DOLLARS = re.compile(r"\$+")
_DOLLAR_FORMULA = re.compile(rf"\$(?![\s$])((?:\\[\s\S]|[^\\$]){{1,{MAX_FORMULA}}})(?<!\s)\$(?![0-9A-Za-z$])")
_DISPLAY_FORMULA = re.compile(rf"\$\$((?:\\[\s\S]|[^\\$]){{1,{MAX_FORMULA}}})\$\$(?!\$)")


class Definitions(dict[str, Any]):
    """Definitions by label (link references, footnotes); the first of a label wins.

    Attributes:
        settled: definitions of text that is no longer parsed again.
        asked: the labels looked up since it was last replaced, in order, found or not.
    """

    def __init__(self, settled: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.settled: Mapping[str, Any] = {} if settled is None else settled
        self.asked: dict[str, None] = {}

    def __contains__(self, label: object) -> bool:
        return super().__contains__(label) or label in self.settled

    def get(self, label: str, default: Any = None) -> Any:
        self.asked[label] = None
        return self.settled[label] if label in self.settled else super().get(label, default)


@functools.cache
def parser() -> MarkdownIt:
    """The one configured parser. Tokens carry source lines; definitions leave a ``definition`` token."""
    md = MarkdownIt(
        "gfm-like",
        {
            "maxNesting": MAX_NESTING,
            "linkify": False,
            "tasklists": True,
            "strikethrough_single_tilde": True,
            "inline_definitions": True,
        },
    )
    md.disable("linkify")
    md.use(footnote_plugin, inline=False, move_to_end=False)
    md.use(gfm_autolink_plugin)
    md.inline.terminator_re = _STOP
    # The policy on schemes is applied to the element tree, where a refused link becomes its text.
    md.validateLink = lambda _url: True  # type: ignore[method-assign,assignment]

    md.block.tokenize = tokenize  # type: ignore[method-assign,assignment]
    block, inline = md.block.ruler, md.inline.ruler
    block.before("table", "part", part_rule, {"alt": ["list"]})
    interrupting = ["paragraph", "reference", "blockquote", "list", "footnote_def"]
    block.before("blockquote", "math_block", _math_block, {"alt": interrupting})
    block.at("blockquote", quote_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    block.at("list", list_rule, {"alt": ["paragraph", "reference", "blockquote"]})
    block.at("footnote_def", _footnote_definition, {"alt": ["paragraph", "reference"]})
    block.at("reference", _definition)
    block.at("hr", _short_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    block.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    inline.at("newline", newline)
    inline.before("escape", "math_inline", watched(_math_inline, formula_left_open))
    inline.at("backticks", watched(rules_inline.backtick, code_left_open))
    inline.at("strikethrough", watched(rules_inline.strikethrough.tokenize, nothing_left_open))
    inline.at("emphasis", watched(emphasis, nothing_left_open))
    inline.at("link", watched(_link, link_left_open))
    inline.at("image", watched(_image, image_left_open))
    inline.at("footnote_ref", _footnote_reference)
    return md


def block_tokens(source: str, environment: Environment, first_rule: BlockRule | None = None) -> list[Token]:
    """Block structure of ``source`` (LF line ends), inline content still unparsed.

    Args:
        environment: must hold `Definitions` under ``references``; definitions found are added.
        first_rule: `list_rule` or `quote_rule` to read the start as the continuation of such a block.
    """
    md = parser()
    state = block_state(source, md, environment)
    if first_rule is not None and state.lineMax:
        first_rule(state, 0, state.lineMax, False)
    md.block.tokenize(state, state.line, state.lineMax)
    return state.tokens


def inline_tokens(
    content: str,
    environment: Environment,
    *,
    watch: Watch | None = None,
    before: Budget = NOTHING_READ,
    end: int | None = None,
) -> list[Token]:
    """Inline structure of a paragraph's ``content``, of which something may have been read ``before``.

    Its markup is read up to ``end``, or else up to `markup_end`.
    """
    tokens: list[Token] = []
    md = parser()
    environment["watch"] = watch
    end = markup_end(content, before) if end is None else min(end, len(content))
    md.inline.parse(content[:end], md, environment, tokens)
    if len(content) > end:
        rest = Token("text", "", 0)
        rest.content = content[end:]
        tokens.append(rest)
    return tokens


def _capped(rule: BlockRule, limit: int) -> BlockRule:
    key = f"depth of {rule.__name__}"

    def capped(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        depth = state.env.get(key, 0)
        # An outdented line belongs to an outer container, which may well continue.
        if depth >= limit and state.sCount[start] >= state.blkIndent:
            return False
        if silent:
            return rule(state, start, end, True)
        state.env[key] = depth + 1
        try:
            return rule(state, start, end, False)
        finally:
            state.env[key] = depth

    return capped


list_rule = _capped(rules_block.list_block, MAX_LIST_DEPTH)
quote_rule = _capped(quotation, MAX_QUOTE_DEPTH)


def _short_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.eMarks[start] - state.bMarks[start] > MAX_RULE:
        return False
    return rules_block.hr(state, start, end, silent)


def _narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start])
    if columns > MAX_COLUMNS:
        return False
    limit = start + 2 + max(0, MAX_CELLS // max(1, columns) - lines_before(state, start))
    if not rules_block.table(state, start, within_part(state, min(end, limit)), silent):
        return False
    if not silent and state.line == limit:
        rows_rule(state, limit, end, False)
    return True


def rows_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Rows beyond the limit of a table, up to a blank line."""
    following = start
    while following < end and not state.isEmpty(following) and state.sCount[following] >= state.blkIndent:
        following += 1
    if following == start:
        return False
    if not silent:
        token = state.push("html_block", "", 0)
        token.map = [start, following]
        token.content = state.getLines(start, following, state.blkIndent, True)
        token.meta = {"rows": True}
        state.line = following
    return True


def _link(state: StateInline, silent: bool) -> bool:
    return state.src.find("]", state.pos, state.posMax) >= 0 and rules_inline.link(state, silent)


def _image(state: StateInline, silent: bool) -> bool:
    """Neither an image nor a link is looked for where no bracket closes: each would read all that follows."""
    return state.src.find("]", state.pos, state.posMax) >= 0 and rules_inline.image(state, silent)


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    begin = state.bMarks[start] + state.tShift[start]
    if state.src.find("]:", begin, begin + _MAX_LABEL) < 0:
        return (
            False  # CommonMark's limit on labels; without it every line of the paragraph would be looked at.
        )
    return rules_block.reference(state, start, end, silent)


def may_be_definition(content: str) -> bool:
    """Whether a paragraph may turn out to begin with a link reference definition."""
    label = _LABEL.match(content)
    if label is None:
        return False
    rest = content[label.end() : label.end() + 2]
    return rest in ("", "]", "]:")


def _footnote_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    is_nested = state.level > 0 and not (silent and state.sCount[start] < state.blkIndent)
    return not is_nested and footnote_def(state, start, end, silent)


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """``$$`` or ``\\[`` at the start of a line; ends at its closer, else at a blank line."""
    if state.is_code_block(start):
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip()
    if line.startswith("$$"):
        closer = "$$"
    elif line.startswith("\\["):
        closer = "\\]"
    else:
        return False
    first = line[2:]
    closed = False
    if closer in first:
        if first.find(closer) != len(first) - 2 or not first[:-2].strip():
            return False
        first, closed = first[:-2], True
    elif closer == "\\]" and first:
        return False  # Prose that begins with an escaped bracket; the inline rule knows better.
    if silent:
        return True
    lines = [first]
    following = start + 1
    while not closed and following < end:
        if state.sCount[following] < state.blkIndent or state.isEmpty(following):
            break
        text = state.src[state.bMarks[following] + state.tShift[following] : state.eMarks[following]].rstrip()
        following += 1
        closed = text.endswith(closer)
        lines.append(text[:-2] if closed else text)
    state.line = following
    token = state.push("math_block", "math", 0)
    token.content = "\n".join(lines).strip()
    token.markup = closer
    token.meta = {"closed": closed}
    token.map = [start, following]
    return True


def _math_inline(state: StateInline, silent: bool) -> bool:
    """Inline formulas; money (``$5 and $6``) and shell variables are none."""
    source, position = state.src, state.pos
    if source[position] == "$":
        match = _DISPLAY_FORMULA.match(source, position, state.posMax)
        if match is None:
            match = _DOLLAR_FORMULA.match(source, position, state.posMax)
            if match and (_PRICE.match(match[1]) or is_in_word(source, position)):
                match = None
        if match is None:
            run = _DOLLARS.match(source, position, state.posMax)
            width = 1 if run is None else len(run[0])
            if not silent:
                state.append_pending("$" * width)
            state.pos += width
            return True
        tex, after = match[1], match.end()
        closer = "$$" if match.re is _DISPLAY_FORMULA else "$"
    elif source.startswith(("\\(", "\\["), position):
        closer = "\\)" if source[position + 1] == "(" else "\\]"
        found = source.find(closer, position + 2, min(state.posMax, position + 2 + MAX_FORMULA))
        if found < 0:
            return False
        tex, after = source[position + 2 : found], found + 2
        if not any(map(str.isalnum, tex)):
            return False
    else:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = tex.strip()
        token.markup = closer
    state.pos = after
    return True


def is_in_word(source: str, position: int) -> bool:
    """Whether a dollar sign there stands behind a letter or figure, where no formula begins; CJK has no such words."""
    return position > 0 and source[position - 1].isascii() and source[position - 1].isalnum()


def _footnote_reference(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if not source.startswith("[^", start):
        return False
    end = source.find("]", start + 2, min(state.posMax, start + 200))
    label = source[start + 2 : end]
    if end < 0 or not label or " " in label or "\n" in label:
        return False
    if state.env["notes"].get(label) is None:
        return False
    if not silent:
        token = state.push("footnote_ref", "sup", 0)
        token.content = label
    state.pos = end + 1
    return True


def unescaped(info: str) -> str:
    """A fence's info string with backslash escapes and entities resolved."""
    return unescapeAll(info)
