"""What a message consists of: its sections, its two texts as they stand or grow, and what it offers to do."""

from __future__ import annotations

import enum
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from desktop_chat.domain.messages import Message, MessageState, Role, ToolCall
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import BlockStates, BoxContext, BoxMaker, MathMaker
from desktop_chat.ui.transcript.code_run import Highlighter
from desktop_chat.ui.transcript.column import Part, Spec
from desktop_chat.ui.transcript.flow import Flow
from desktop_chat.ui.transcript.inline import PictureMaker
from desktop_chat.ui.transcript.share import Share
from desktop_chat.ui.transcript.typography import Typography

REASONING_INDENT = 16

_BEGIN_S: Final = 0.004
"""CPU time for the begin of a text that is being received, when it is first shown; the rest takes further frames."""


class Section(enum.IntEnum):
    """The parts of a message from top to bottom."""

    HEADER = 0
    REASONING_HEAD = 1
    REASONING = 2
    WAITING = 3
    BODY = 4
    TOOLS = 5
    ERROR = 6
    FOOTER = 7


@dataclass(slots=True)
class MessageMemory:
    """The reader's choices for one message; they outlive its layout."""

    reasoning_open: bool | None = None
    blocks: BlockStates = field(default_factory=BlockStates)


class WaitingText:
    """Text that arrived faster than it can be shown; taken a frame's share at a time."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._taken = 0  # of the first piece
        self.length = 0

    def add(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self.length += len(text)

    def take(self, most: int) -> str:
        """At most so many characters."""
        taken: list[str] = []
        while most and self._pieces:
            first = self._pieces[0]
            part = first[self._taken : self._taken + most]
            taken.append(part)
            most -= len(part)
            self.length -= len(part)
            self._taken += len(part)
            if self._taken == len(first):
                self._pieces.popleft()
                self._taken = 0
        return "".join(taken)


class Workshop(NamedTuple):
    """What message layouts are made with."""

    typography: Typography
    pictures: PictureMaker
    highlighter: Highlighter
    display_math: MathMaker
    can_continue: Callable[[Message], bool]

    def context(self, part: Part, make_box: BoxMaker, states: BlockStates) -> BoxContext:
        """What the box of a message's ``part`` is made with."""
        type_ = self.typography
        return BoxContext(
            type_,
            self.pictures,
            self.highlighter,
            type_.quiet if part.section == Section.REASONING else type_.body,
            self.display_math,
            make_box,
            states,
            tuple(part),
        )


class MessageContent:
    """A message and its texts as blocks."""

    def __init__(self, message: Message, workshop: Workshop, memory: MessageMemory) -> None:
        self.message = message
        self._workshop = workshop
        self._memory = memory
        self._reasoning = Flow(Section.REASONING, REASONING_INDENT)
        self._body = Flow(Section.BODY)
        self._start_texts()

    def _start_texts(self) -> None:
        self._reasoning = Flow(Section.REASONING, REASONING_INDENT)
        self._body = Flow(Section.BODY)
        self._waiting_reasoning, self._waiting_body = WaitingText(), WaitingText()
        self._share = Share()
        self._prepared = 0  # characters that the next frame shows
        self._is_ending = False
        if self.message.state is MessageState.STREAMING:
            self.append(self.message.tool_calls, self.message.text, self.message.reasoning)
            begun = time.thread_time()
            self._advance_texts()
            while self.is_behind and time.thread_time() - begun < _BEGIN_S:
                self._advance_texts()
        else:
            self._show_texts()

    def _show_texts(self) -> None:
        message = self.message
        if message.reasoning:
            self._reasoning.show(message.reasoning)
        if message.role is Role.USER:
            self._body.show_typed(message.text)
        elif message.text:
            self._body.show(message.text)

    def keep_open(self, *, is_read: bool) -> None:
        """Whether someone reads here, so that nothing may fold by itself while the text grows."""
        self._memory.blocks.keep_open = is_read
        if is_read and self.is_thinking and self._memory.reasoning_open is None:
            self._memory.reasoning_open = True

    def append(self, tool_calls: tuple[ToolCall, ...], text: str, reasoning: str) -> None:
        """Take what arrived; it shows with the next calls of `MessageEntries.advance`."""
        if tool_calls != self.message.tool_calls:
            self.message = msgspec.structs.replace(self.message, tool_calls=tool_calls)
        self._waiting_reasoning.add(reasoning)
        self._waiting_body.add(text)

    def markup_length(self, section: Section) -> int | None:
        """Characters of a section's text that are read as Markdown, where what follows is not."""
        return (self._body if section is Section.BODY else self._reasoning).markup_length

    @property
    def waiting(self) -> int:
        """Characters that arrived and were not looked at yet."""
        return self._waiting_body.length + self._waiting_reasoning.length

    @property
    def is_behind(self) -> bool:
        """Whether there is something to show in a further frame."""
        return (
            self._waiting_body.length > 0
            or self._waiting_reasoning.length > 0
            or self._body.is_behind
            or self._reasoning.is_behind
        )

    @property
    def may_change(self) -> bool:
        """Whether a further frame may show more."""
        return self.is_streaming or self.is_behind

    def _advance_texts(self) -> tuple[int, int]:
        """Show a frame's share of reasoning and text; the first spec of each that changed."""
        self._take_share()
        self._prepared = 0
        first = self._reasoning.advance(), self._body.advance()
        return self._end_texts(first) if self._is_ending and not self.is_behind else first

    def _take_share(self) -> None:
        for flow, waiting in ((self._reasoning, self._waiting_reasoning), (self._body, self._waiting_body)):
            if waiting.length and not flow.is_parsing:
                text = waiting.take(min(self._share.characters, flow.share))
                self._prepared += len(text)
                flow.append(text)

    def prepare(self) -> bool:
        """Parse, between two frames, some of what the next one shows; whether there is more of it."""
        if not self._prepared:
            self._take_share()
        self._reasoning.prepare()
        self._body.prepare()
        return self._reasoning.is_parsing or self._body.is_parsing

    def note_cost(self, seconds: float) -> None:
        """So much CPU time it took to show the last share."""
        self._share.note(seconds, self._body.share)

    def _end_texts(self, first: tuple[int, int]) -> tuple[int, int]:
        self._is_ending = False
        return min(first[0], self._reasoning.finish()), min(first[1], self._body.finish())

    def _can_grow(self) -> bool:
        """Whether an answer that had ended may be continued where it stands."""
        return self._body.can_grow and self._reasoning.can_grow

    def _has_taken(self, message: Message) -> bool:
        """Whether the texts of ``message`` are what arrived here; told by their lengths, which costs nothing."""
        return self._body.length + self._waiting_body.length == len(
            message.text
        ) and self._reasoning.length + self._waiting_reasoning.length == len(message.reasoning)

    def _shape(self) -> tuple[object, ...]:
        """What decides which parts there are besides the growing text itself."""
        return bool(self._body.specs), bool(self._reasoning.specs), self.is_waiting, self.message.tool_calls

    @property
    def is_streaming(self) -> bool:
        return self.message.state is MessageState.STREAMING

    @property
    def is_waiting(self) -> bool:
        return (
            self.is_streaming
            and not self._body.length
            and not self._reasoning.length
            and not self.message.tool_calls
        )

    @property
    def is_thinking(self) -> bool:
        return self.is_streaming and self._reasoning.length > 0 and not self._body.length

    @property
    def is_reasoning_open(self) -> bool:
        chosen = self._memory.reasoning_open
        return self.is_thinking if chosen is None else chosen

    def _before_text(self) -> Iterator[Spec]:
        message = self.message
        if message.role is not Role.USER:
            key = (message.role, message.model, message.created_at)
            yield Spec(Part(Section.HEADER), key)
        if self._reasoning.length:
            metrics = message.metrics
            head = (self.is_reasoning_open, self.is_thinking, metrics.thinking_s if metrics else None)
            yield Spec(Part(Section.REASONING_HEAD), head, Space.XS)

    def _after_text(self) -> Iterator[Spec]:
        message = self.message
        for index, call in enumerate(message.tool_calls):
            yield Spec(
                Part(Section.TOOLS, index), call, Space.M if self._body.length and not index else Space.XS
            )
        if message.error is not None:
            key = (message.error, self.error_actions())
            yield Spec(Part(Section.ERROR), key, Space.M if self._body.length else Space.S)
        end = (
            message.state,
            message.finish_reason,
            message.metrics,
            message.sibling_index,
            message.sibling_count,
        )
        gap = Space.M if message.role is Role.USER else Space.XS
        yield Spec(Part(Section.FOOTER), (*end, self.footer_actions()), gap)

    def error_actions(self) -> tuple[str, ...]:
        message = self.message
        if message.error is None:
            return ()
        if message.text and self._workshop.can_continue(message):
            return ("continue", "regenerate")
        return ("regenerate",) if message.text else ("retry",)

    def footer_actions(self) -> tuple[str, ...]:
        message = self.message
        if message.state is MessageState.STREAMING:
            return ()
        if message.role is Role.USER:
            return ("copy", "edit")
        if message.role is not Role.ASSISTANT:
            return ("copy",)
        actions = ["copy", "regenerate"] if message.text else ["regenerate"]
        if message.error is None and message.text and self._workshop.can_continue(message):
            actions.append("continue")
        return tuple(actions)
