"""Text channels of a stream: what must be held back until the next piece decides what it is."""

from __future__ import annotations

import enum
from typing import Final

from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.text import without_lone_surrogates

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
_MOST_HELD: Final = 4096
"""Characters of white space that may precede the tag."""


class SurrogateJoiner:
    r"""Puts characters together again that a server cut in half.

    A JSON escape may end a delta with ``\ud83d`` and begin the next with ``\ude00``. The first half waits here;
    a half that stays alone becomes U+FFFD.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = ""

    def feed(self, text: str) -> str:
        text = self.held + text
        self.held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.held = text[-1]
            text = text[:-1]
        return without_lone_surrogates(text)

    def flush(self) -> str:
        held, self.held = self.held, ""
        return without_lone_surrogates(held)


class _Place(enum.Enum):
    START = enum.auto()
    INSIDE = enum.auto()
    BEHIND = enum.auto()  # the tag is closed; line breaks in front of the answer are still dropped
    ANSWER = enum.auto()


class ThinkTagSplitter:
    """Takes ``<think>...</think>`` at the start of the content for reasoning, cut over any number of deltas.

    Only a tag that the answer begins with counts; one in the middle of it is text like any other. The line
    breaks around the tags belong to them.
    """

    __slots__ = ("_held", "_place")

    def __init__(self) -> None:
        self._place = _Place.START
        self._held = ""

    @property
    def passes_through(self) -> bool:
        """Whether everything that may follow is answer text."""
        return self._place is _Place.ANSWER

    def feed(self, text: str) -> list[StreamDelta]:
        deltas: list[StreamDelta] = []
        text = self._held + text
        self._held = ""
        if self._place is _Place.START:
            text = self._at_start(text)
        if self._place is _Place.INSIDE:
            text = self._inside(text, deltas)
        if self._place is _Place.BEHIND:
            text = text.lstrip("\r\n")
            if text:
                self._place = _Place.ANSWER
        if self._place is _Place.ANSWER and text:
            deltas.append(TextDelta(text))
        return deltas

    def flush(self, *, cut: bool = False) -> list[StreamDelta]:
        """The stream ended: what was held back is what it looked like.

        Where the stream was ``cut``, a beginning that may have become an opening tag is dropped.
        """
        held, self._held = self._held, ""
        if not held or (cut and self._place is _Place.START):
            return []
        return [ReasoningDelta(held) if self._place is _Place.INSIDE else TextDelta(held)]

    def _at_start(self, text: str) -> str:
        bare = text.lstrip()
        if bare.startswith(_OPEN):
            after = bare[len(_OPEN) :].lstrip("\r\n")
            if after:
                self._place = _Place.INSIDE
                return after
            self._held = _OPEN  # line breaks behind the tag may still come
            return ""
        if _OPEN.startswith(bare) and len(text) < _MOST_HELD:  # also when there is nothing but space so far
            self._held = text
            return ""
        self._place = _Place.ANSWER
        return text

    def _inside(self, text: str, deltas: list[StreamDelta]) -> str:
        thought, close, answer = text.partition(_CLOSE)
        if close:
            self._place = _Place.BEHIND
        else:
            thought, self._held = _without_partial_tag(text)
        if thought:
            deltas.append(ReasoningDelta(thought))
        return answer


def _without_partial_tag(text: str) -> tuple[str, str]:
    """``text`` cut in front of what may become a closing tag."""
    at = text.rfind("<", max(0, len(text) - len(_CLOSE) + 1))
    if at >= 0 and _CLOSE.startswith(text[at:]):
        return text[:at], text[at:]
    return text, ""
