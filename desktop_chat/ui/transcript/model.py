"""What the transcript shows: the messages of one branch, of which only some have their text at hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec
from PySide6.QtCore import QObject, Signal

from desktop_chat.chat.accumulator import TextAccumulator, ToolCallAccumulator
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta, ToolCallDelta
from desktop_chat.domain.messages import Message, MessageState, MessageStub, ToolCall
from desktop_chat.domain.metrics import Metrics

KEPT_CHARACTERS: Final = 6_000_000
"""Text kept in memory; messages not used for longest are let go and asked for again when seen."""


SHOWN_ARGUMENTS: Final = 20_000
"""Characters of a tool call's arguments that are shown; all are kept."""

MOST_WAITING: Final = 64 * 1024
"""Characters that may wait to be shown before no more is read from the server."""


class Growth:
    """What has arrived for one streaming message.

    Attributes:
        waiting: characters that arrived and are not shown yet.
    """

    __slots__ = (
        "_calls", "_reasoning", "_shown_calls", "_text", "has_text", "metrics", "pending_reasoning", "pending_text",
        "waiting",
    )  # fmt: skip

    def __init__(self, message: Message) -> None:
        self._text = TextAccumulator(message.text)
        self._reasoning = TextAccumulator(message.reasoning)
        self._calls = ToolCallAccumulator()
        self._shown_calls: dict[int, ToolCall] = {}
        for index, call in enumerate(message.tool_calls):
            self._add_call(ToolCallDelta(index, call.id, call.name, call.arguments))
        self.has_text = bool(message.text or message.reasoning)
        self.pending_text: list[str] = []
        self.pending_reasoning: list[str] = []
        self.waiting = 0
        self.metrics: Metrics | None = None

    def add(self, delta: StreamDelta) -> bool:
        """Take a piece; whether there is something new to show."""
        if isinstance(delta, TextDelta):
            self._text.append(delta.text)
            self.pending_text.append(delta.text)
            self.waiting += len(delta.text)
        elif isinstance(delta, ReasoningDelta):
            self._reasoning.append(delta.text)
            self.pending_reasoning.append(delta.text)
            self.waiting += len(delta.text)
        elif isinstance(delta, ToolCallDelta):
            return self._add_call(delta)
        else:
            return False
        self.has_text = True
        return True

    def take(self) -> tuple[str, str]:
        """Text and reasoning that nobody has taken yet."""
        text, reasoning = "".join(self.pending_text), "".join(self.pending_reasoning)
        self.pending_text.clear()
        self.pending_reasoning.clear()
        return text, reasoning

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls as they are shown, with the beginnings of their arguments."""
        return tuple(call for _, call in sorted(self._shown_calls.items()))

    def joined(self, message: Message) -> Message:
        """``message`` with everything that arrived."""
        return msgspec.structs.replace(
            message,
            text=self._text.text(),
            reasoning=self._reasoning.text(),
            tool_calls=self._calls.calls(),
        )

    def _add_call(self, delta: ToolCallDelta) -> bool:
        self._calls.add(delta)
        shown = self._shown_calls.get(delta.index) or ToolCall()
        room = max(0, SHOWN_ARGUMENTS - len(shown.arguments))
        call = ToolCall(
            id=shown.id or delta.id,
            name=shown.name or delta.name,
            arguments=shown.arguments + delta.arguments[:room],
        )
        is_new = delta.index not in self._shown_calls or call != shown
        self._shown_calls[delta.index] = call
        return is_new


class TranscriptModel(QObject):
    """The messages of the shown branch, in order.

    Signals:
        needed: ids of messages whose text must be loaded; the owner answers with `provide`.
        counting: ids of messages, a text to count in them whatever its case, and the function that the owner calls
            with the counts by id; messages without it are left out.
        was_reset: everything is different.
        appended: one message came at the end.
        changed: ids of messages whose text was provided or which were replaced.
        missed: some of what was `needed` cannot be loaded.

    Deltas raise no signal; they are announced to ``on_growth``, a plain call.

    Attributes:
        growing: what has arrived for each streaming message.
        last_growth: of the message that ``changed`` is just about, if it was streaming until now.
    """

    needed = Signal(list)
    counting = Signal(object, str, object)
    was_reset = Signal()
    appended = Signal()
    changed = Signal(list)
    missed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on_growth: Callable[[], None] = lambda: None
        self.growing: dict[int, Growth] = {}
        self.last_growth: Growth | None = None
        self._stubs: list[MessageStub] = []
        self._rows: dict[int, int] = {}
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._kept = 0
        self._asked: set[int] = set()

    # --- content, as the owner sets it -------------------------------------------------------------------

    def reset(self, stubs: Sequence[MessageStub], loaded: Iterable[Message] = ()) -> None:
        """Show another branch; ``loaded`` are those of its messages whose text is at hand."""
        self._stubs = list(stubs)
        self._rows = {stub.id: row for row, stub in enumerate(self._stubs)}
        self._messages.clear()
        self._kept = 0
        self._asked.clear()
        self.growing.clear()
        for message in loaded:
            self._keep(message)
        self.was_reset.emit()

    def provide(self, messages: Iterable[Message]) -> None:
        """The texts that were `needed`."""
        came = []
        for message in messages:
            self._asked.discard(message.id)
            if message.id in self._rows and message.id not in self.growing:
                self._keep(message)
                came.append(message.id)
        if came:
            self.changed.emit(came)

    def miss(self, ids: Iterable[int]) -> None:
        """Those of the texts that were `needed` and cannot be had now; they may be asked for again."""
        missing = self._asked.intersection(ids)
        self._asked -= missing
        if missing:
            self.missed.emit()

    def append(self, message: Message) -> None:
        """A message comes at the end."""
        if message.id in self._rows:
            self.replace(message)
            return
        self._rows[message.id] = len(self._stubs)
        self._stubs.append(stub_of(message))
        self._keep(message)
        self.appended.emit()

    def replace(self, message: Message) -> None:
        """A message has another state, text, error or metrics."""
        if message.id not in self._rows:
            return
        growth = self.growing.pop(message.id, None)
        self._stubs[self._rows[message.id]] = stub_of(message)
        self._keep(message)
        self.last_growth = growth
        self.changed.emit([message.id])
        self.last_growth = None

    def append_delta(self, message_id: int, delta: StreamDelta) -> None:
        """A piece of a streaming message arrived; it shows with the next frame."""
        growth = self.growing.get(message_id)
        if growth is None:
            return
        if growth.add(delta):
            self.on_growth()

    def is_behind(self, message_id: int) -> bool:
        """Whether so much of a streaming message waits to be shown that no more should be read."""
        growth = self.growing.get(message_id)
        return growth is not None and growth.waiting > MOST_WAITING

    def set_live_metrics(self, message_id: int, metrics: Metrics) -> None:
        """Phase and countdown of a running turn, some times a second."""
        growth = self.growing.get(message_id)
        if growth is not None:
            growth.metrics = metrics
            if not growth.has_text:
                self.on_growth()

    def _keep(self, message: Message) -> None:
        before = self._messages.pop(message.id, None)
        if before is not None:
            self._kept -= len(before.text) + len(before.reasoning)
        self._messages[message.id] = message
        self._kept += len(message.text) + len(message.reasoning)
        if message.state is MessageState.STREAMING:
            self.growing.setdefault(message.id, Growth(message))
        while self._kept > KEPT_CHARACTERS and len(self._messages) > 64:
            oldest = next((each for each in self._messages if each not in self.growing), None)
            if oldest is None:
                break
            gone = self._messages.pop(oldest)
            self._kept -= len(gone.text) + len(gone.reasoning)

    # --- content, as the view reads it -------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._stubs)

    def stub(self, row: int) -> MessageStub:
        return self._stubs[row]

    def stubs(self) -> Sequence[MessageStub]:
        return self._stubs

    def row_of(self, message_id: int) -> int | None:
        return self._rows.get(message_id)

    def message(self, row: int) -> Message | None:
        """The message with its text, joined with what arrived; ``None`` while it is not loaded."""
        message_id = self._stubs[row].id
        found = self._messages.get(message_id)
        if found is None:
            return None
        self._messages.move_to_end(message_id)
        growth = self.growing.get(message_id)
        return found if growth is None else growth.joined(found)

    def glance(self, row: int) -> Message | None:
        """As `message`, but for going through many: it does not count as used."""
        message_id = self._stubs[row].id
        found = self._messages.get(message_id)
        return self.message(row) if message_id in self.growing else found

    def at_hand(self, rows: range) -> list[int]:
        """Those of these rows whose text is loaded, in order."""
        ids = {stub.id for stub in self._stubs[rows.start : rows.stop]}
        return sorted(self._rows[each] for each in self._messages.keys() & ids)

    def ask(self, rows: Iterable[int]) -> None:
        """Have the texts of these rows loaded, unless they are or will be."""
        ids = [self._stubs[row].id for row in rows]
        missing = [each for each in ids if each not in self._messages and each not in self._asked]
        if missing:
            self._asked.update(missing)
            self.needed.emit(missing)

    def messages(self) -> Iterator[Message]:
        """All messages at hand, in order."""
        for row in range(len(self._stubs)):
            message = self.message(row)
            if message is not None:
                yield message


def stub_of(message: Message) -> MessageStub:
    return MessageStub(message.id, message.role, message.state, len(message.text), len(message.reasoning))
