"""Taking the selected text out: slice by slice, so that the window goes on, and with the messages not in memory."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_chat.markup import to_html
from desktop_chat.markup.safety import without_controls
from desktop_chat.ui.transcript.places import Selection
from desktop_chat.ui.transcript.segments import segments
from desktop_chat.ui.transcript.selected_text import SelectedText

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_SLICE_S: Final = 0.01
_PATIENCE_MS: Final = 400
"""What takes longer is said to be going on."""


class Form(enum.Enum):
    """What the selection is taken out as."""

    MARKDOWN = "markdown"
    PLAIN = "plain"
    RICH = "rich"


class Copied(NamedTuple):
    """What was selected, without control characters: ``text`` as Markdown or as it reads; ``html`` "" unless rich."""

    text: str
    html: str


class Copying(QObject):
    """One text at a time that is being read; a further one takes its place.

    Signals:
        notice: a sentence for the reader about what takes long or was given up.
    """

    notice = Signal(str)

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view)
        self._view = view
        self._text: SelectedText | None = None
        self._steps: Iterator[bool] = iter(())
        self._found = Copied("", "")
        self._done: Callable[[Copied], None] = lambda _: None
        self._said = ""
        self._is_waiting = False  # for a message to be loaded
        self._was_told = False
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._go_on)
        self._late = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._late.timeout.connect(self._tell)

    @property
    def is_active(self) -> bool:
        return self._text is not None

    def begin(
        self, selection: Selection, form: Form, done: Callable[[Copied], None], *, said: str = ""
    ) -> None:
        """Read the selection and hand it to ``done``: before this returns where it is short and at hand.

        Args:
            said: the notice at the end of one that took long.
        """
        self.stop()
        self._said = said
        self._text = SelectedText(self._view, selection, as_source=form is not Form.PLAIN)
        self._steps, self._done = self._taking(self._text, form), done
        self._go_on()
        if self.is_active:
            self._late.start()

    def resume(self) -> None:
        """Messages were loaded."""
        if self._is_waiting:
            self._next.start()

    def missed(self) -> None:
        """Messages that were asked for cannot be loaded."""
        if self._is_waiting:
            self.give_up("not all of the selection could be loaded. Try again")

    def give_up(self, reason: str) -> None:
        """Let go of a text that is not complete; ``reason`` goes on with "Nothing was copied, because"."""
        if self.is_active:
            self.stop()
            self.notice.emit(f"Nothing was copied, because {reason}.")

    def _taking(self, selected: SelectedText, form: Form) -> Iterator[bool]:
        """The steps of reading and formatting; each gives whether the next one has what it needs."""
        texts: list[str] = []
        for text in selected:
            texts.append(text or "")
            yield text is not None
        source = without_controls("".join(texts))
        formatted: list[str] = []
        for part in _parts(source) if form is Form.RICH and source else ():
            if formatted:
                yield True
            formatted.append(to_html(part))
        self._found = Copied(source, "\n".join(formatted))

    def _go_on(self) -> None:
        text = self._text
        if text is None:
            return
        self._is_waiting = False
        until = time.thread_time() + _SLICE_S
        for is_loaded in self._steps:
            if not is_loaded:
                self._is_waiting = True
                break
            if time.thread_time() > until:
                self._next.start()
                break
        else:
            self._finish()
        if text.has_measured:
            text.has_measured = False
            self._view.refresh()

    def _finish(self) -> None:
        found, done = self._found, self._done
        said = self._said if self._was_told else ""
        self.stop()
        done(found)
        if said:
            self.notice.emit(said)

    def stop(self) -> None:
        """Let go of what is being read, without a word."""
        self._next.stop()
        self._late.stop()
        self._text, self._steps, self._done = None, iter(()), lambda _: None
        self._found = Copied("", "")
        self._is_waiting = self._was_told = False

    def _tell(self) -> None:
        self._was_told = True
        self.notice.emit("The rest of the selection is being loaded…")


def _parts(source: str) -> Iterator[str]:
    """Markdown in parts that can be formatted one by one; one that defines labels or has notes is read as a whole."""
    parts = segments(source)
    if "[^" in source or any(part.labels is not None for part in parts):
        yield source
    else:
        for part in parts:
            yield part.text
