"""Where emphasis opens and closes: CommonMark's rule, but beside CJK text and behind punctuation as people mean it."""

from __future__ import annotations

import re

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u2ff0-\u303f\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)
_CLOSING_PUNCTUATION = frozenset(".,:;!?)]}%\"'\u2019\u201d\u2026\u00bb")


def emphasis(state: StateInline, silent: bool) -> bool:
    """As CommonMark, but CJK characters count as word boundaries beside punctuation.

    CommonMark cannot close ``**term:**text`` or any emphasis between CJK punctuation and CJK text, both of which
    models write all day; the CJK half follows the "cjk-friendly" amendment to the flanking rules.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    start = end = state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    before = state.src[start - 1] if start else " "
    after = state.src[end] if end < state.posMax else " "
    can_open, can_close = _flanking(before, after, end - start, marker == "*")
    for _ in range(end - start):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(ord(marker), end - start, len(state.tokens) - 1, -1, can_open, can_close)
        )
    state.pos = end
    return True


def is_cjk(character: str) -> bool:
    return character > "\u10ff" and _CJK.match(character) is not None


def _flanking(before: str, after: str, length: int, within_words: bool) -> tuple[bool, bool]:
    before_is_space, after_is_space = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    before_is_cjk, after_is_cjk = is_cjk(before), is_cjk(after)
    before_is_punctuation = isMdAsciiPunct(ord(before)) or isPunctChar(before)
    after_is_punctuation = isMdAsciiPunct(ord(after)) or isPunctChar(after)
    left = not after_is_space and (
        not after_is_punctuation or after_is_cjk or before_is_space or before_is_punctuation or before_is_cjk
    )
    right = not before_is_space and (
        not before_is_punctuation or before_is_cjk or after_is_space or after_is_punctuation or after_is_cjk
    )
    if within_words:
        lenient = length == 2 and before in _CLOSING_PUNCTUATION and after.isalnum()
        return left, right or lenient
    return left and (not right or before_is_punctuation), right and (not left or after_is_punctuation)
