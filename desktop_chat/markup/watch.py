"""Inline rules that tell what they left open."""

from __future__ import annotations

from collections.abc import Callable

from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

InlineRule = Callable[[StateInline, bool], bool]


class Watch:
    """What one run of the inline rules left open: markup that text still to come may close.

    Attributes:
        delimiters: emphasis and strikethrough delimiters with their positions.
        marks: starts of code, formulas, links and images that found no end, as (position, mark).
    """

    def __init__(self) -> None:
        self.delimiters: list[tuple[int, Delimiter]] = []
        self.marks: list[tuple[int, str]] = []

    def open_delimiters(self) -> list[tuple[int, str]]:
        """Emphasis still open: position and character of each delimiter, in order."""
        return [(at, chr(found.marker)) for at, found in self.delimiters if found.open and found.end < 0]


def watched(rule: InlineRule, left_open: Callable[[StateInline, int, bool], str]) -> InlineRule:
    """``rule``, telling the environment's `Watch`, if there is one, what it left open."""

    def watching(state: StateInline, silent: bool) -> bool:
        watch: Watch | None = state.env["watch"]
        if watch is None or silent:
            return rule(state, silent)
        start, delimiters, known = state.pos, state.delimiters, len(state.delimiters)
        state.env["watch"] = (
            None if state.src[start] == "!" else watch
        )  # An image's text has its own positions.
        matched = rule(state, silent)
        state.env["watch"] = watch
        if state.delimiters is delimiters:
            watch.delimiters += [(start, delimiter) for delimiter in delimiters[known:]]
        mark = left_open(state, start, matched)
        if mark:
            watch.marks.append((start, mark))
        return matched

    return watching


def nothing_left_open(_state: StateInline, _start: int, _matched: bool) -> str:
    return ""


def code_left_open(state: StateInline, start: int, matched: bool) -> str:
    # Unmatched backticks are pending text; a code span is a token and leaves nothing pending.
    return state.src[start : state.pos] if matched and state.pending else ""


def formula_left_open(state: StateInline, start: int, matched: bool) -> str:
    if state.src[start] == "$":
        return state.src[start : state.pos] if matched and state.pending else ""
    return (
        "" if matched or state.src[start + 1 : start + 2] not in ("(", "[") else state.src[start : start + 2]
    )


def link_left_open(state: StateInline, start: int, matched: bool) -> str:
    return "[" if not matched and state.src[start] == "[" else ""


def image_left_open(state: StateInline, start: int, matched: bool) -> str:
    return "![" if not matched and state.src.startswith("![", start) else ""
