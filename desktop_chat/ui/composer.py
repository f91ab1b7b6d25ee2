"""The composer: one rounded card with the prompt, the model picker, and Send, which is Stop while an answer comes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_chat.domain.text import sanitized_input
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, Role, label, named
from desktop_chat.ui.prompt_edit import PromptEdit
from desktop_chat.ui.theme import Radius, Space

DRAFT_DELAY_MS: Final = 400
_KEPT_DOCUMENTS: Final = 24
"""Conversations whose undo history is kept; the text itself is always kept, as a draft."""


class Composer(QWidget):
    """Where messages are written; holds one draft a conversation.

    Attributes:
        edit: the text field.
        model_picker / settings_button / send_button / stop_button: the card's buttons.

    Signals:
        send_requested(text): sanitised and not blank; the field still holds it.
        edit_requested(message_id, text): as above, for a message that is being edited.
        stop_requested: Stop, or Escape while an answer comes.
        recall_requested: the person wants to edit the last message.
        draft_changed(conversation_id, text): typing paused.
        refused(sentence): why nothing was sent.
        refusal_over(sentence): that no longer holds.
    """

    send_requested = Signal(str)
    edit_requested = Signal(int, str)
    stop_requested = Signal()
    recall_requested = Signal()
    draft_changed = Signal(int, str)
    refused = Signal(str)
    refusal_over = Signal(str)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._conversation_id = 0
        self._documents: OrderedDict[int, QTextDocument] = OrderedDict()
        self._editing: tuple[int, str] | None = None
        self._streaming = False
        self._ready = False
        self._sends_when_ready = False
        self._focused = False
        self._refusal = ""

        self.edit = PromptEdit()
        self.edit.submitted.connect(self.submit)
        self.edit.escaped.connect(self._escape)
        self.edit.recalled.connect(self.recall_requested)
        self.edit.focused.connect(self._focus_changed)
        self.edit.height_wanted.connect(self._fit_height)
        self.edit.textChanged.connect(self._text_changed)
        self._draft_timer = QTimer(self, singleShot=True, interval=DRAFT_DELAY_MS)
        self._draft_timer.timeout.connect(self._hand_over_draft)

        self.model_picker = Button(appearance, "", caret=True, side=30)
        named(self.model_picker, "modelPicker", "Choose the model", shortcut=QKeySequence("Ctrl+M"))
        self.settings_button = Button(appearance, icon_name="sliders-horizontal", side=30, icon_size=17)
        named(self.settings_button, "conversationSettingsButton", "Settings of this conversation")
        self.send_button = Button(appearance, icon_name="arrow-up", role=Role.PRIMARY, round_=True, side=34)
        named(self.send_button, "sendButton", "Send")
        self.send_button.clicked.connect(self.submit)
        self.stop_button = Button(
            appearance, icon_name="stop-fill", role=Role.PRIMARY, round_=True, side=34, icon_size=16
        )
        named(self.stop_button, "stopButton", "Stop the answer", shortcut=QKeySequence("Esc"))
        self.stop_button.clicked.connect(self.stop_requested)
        self.stop_button.hide()

        self._edit_strip = self._make_edit_strip()
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(Space.XS)
        buttons.addWidget(self.model_picker)
        buttons.addWidget(self.settings_button)
        buttons.addStretch(1)
        buttons.addWidget(self.send_button)
        buttons.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        layout.setSpacing(Space.XS)
        layout.addWidget(self._edit_strip)
        inner = QHBoxLayout()
        inner.setContentsMargins(Space.S, Space.XS, Space.S, 0)
        inner.addWidget(self.edit)
        layout.addLayout(inner)
        layout.addLayout(buttons)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setFocusProxy(self.edit)
        appearance.changed.connect(self._theme_changed)
        self.set_send_key("enter")
        self._theme_changed()
        self._update_buttons()

    def _make_edit_strip(self) -> QWidget:
        strip = QWidget()
        layout = QHBoxLayout(strip)
        layout.setContentsMargins(Space.S, 0, 0, 0)
        layout.addWidget(label("Editing message: what follows it becomes another version", "faint"), 1)
        cancel = Button(self._appearance, "Cancel", side=28)
        named(cancel, "cancelEditButton", "Cancel editing", shortcut=QKeySequence("Esc"))
        cancel.clicked.connect(self.cancel_edit)
        layout.addWidget(cancel)
        strip.hide()
        return strip

    # --- state

    @property
    def text(self) -> str:
        return self.edit.text

    @property
    def is_ready(self) -> bool:
        """Whether the program can send."""
        return self._ready

    @property
    def is_editing(self) -> bool:
        return self._editing is not None

    def set_send_key(self, key: str) -> None:
        """``enter`` or ``ctrl+enter``."""
        self.edit.send_key = key
        shortcut = QKeySequence("Ctrl+Return" if key == "ctrl+enter" else "Return")
        named(self.send_button, "", "Send", shortcut=shortcut)
        self.edit.setPlaceholderText("Write a message")

    def set_ready(self, ready: bool) -> None:
        """Whether the program can send yet. Typing is possible from the first moment, and so is Enter: a message
        sent before the program was ready leaves as soon as it is."""
        self._ready = ready
        self._update_buttons()
        if ready and self._sends_when_ready:
            self._sends_when_ready = False
            if self.edit.text.strip():
                self.submit()

    def set_streaming(self, streaming: bool) -> None:
        had_focus = self.send_button.hasFocus() or self.stop_button.hasFocus()
        if streaming != self._streaming:
            self._end_refusal()
        self._streaming = streaming
        self._update_buttons()
        if had_focus:
            self.edit.setFocus()

    def show_conversation(self, conversation_id: int, draft: str) -> None:
        """Show a conversation's draft (0: of the conversation to come), with the undo history of this run."""
        self.flush_draft()
        self._leave_edit()
        self._end_refusal()
        if conversation_id not in self._documents:
            self._documents[conversation_id] = self.edit.new_document(draft)
        self._documents.move_to_end(conversation_id)
        self._conversation_id = conversation_id
        self.edit.adopt(self._documents[conversation_id])
        while len(self._documents) > _KEPT_DOCUMENTS:
            self._documents.popitem(last=False)[1].deleteLater()
        self._draft_timer.stop()
        self._fit_height()
        self._update_buttons()

    def conversation_created(self, conversation_id: int) -> None:
        """What was typed for the conversation to come now belongs to this one."""
        document = self._documents.pop(0, None) or self.edit.document()
        self._documents[conversation_id] = document
        self._conversation_id = conversation_id

    def clear_sent(self, conversation_id: int, text: str) -> None:
        """The message is on its way: empty its field, unless something else was typed meanwhile."""
        if conversation_id == self._conversation_id and sanitized_input(self.edit.text) == text:
            self._editing = None
            self._edit_strip.hide()
            self.edit.replace_text("")
            self._draft_timer.stop()
        elif (document := self._documents.get(conversation_id)) is not None:
            document.clear()

    def clear_edit(self, conversation_id: int) -> None:
        """The edited message is on its way; the draft from before comes back."""
        if conversation_id == self._conversation_id:
            self._leave_edit()

    def restore(self, conversation_id: int, text: str) -> None:
        """Put back what could not be sent, in front of what was typed since."""
        if conversation_id == self._conversation_id and text not in self.edit.text:
            typed = self.edit.text
            self.edit.replace_text(f"{text}\n{typed}" if typed else text)

    def set_text(self, text: str) -> None:
        self.edit.replace_text(text)
        self.edit.setFocus()

    def flush_draft(self) -> None:
        """Hand over what was typed now instead of after a pause."""
        if self._draft_timer.isActive():
            self._draft_timer.stop()
            self._hand_over_draft()

    def _hand_over_draft(self) -> None:
        # Apart from `flush_draft`, because a timer that fires once is no longer active when it fires.
        self.draft_changed.emit(self._conversation_id, self._draft())

    def _draft(self) -> str:
        return self._editing[1] if self._editing else self.edit.text

    # --- editing an earlier message

    def begin_edit(self, message_id: int, text: str) -> None:
        """Let the person change a sent message; their unsent draft comes back afterwards."""
        draft = self._draft()
        self._editing = (message_id, draft)
        self._edit_strip.show()
        self.edit.replace_text(text)
        self.edit.setFocus()
        self._update_buttons()

    def cancel_edit(self) -> None:
        if self._editing is not None:
            draft = self._editing[1]
            self._leave_edit()
            self.edit.replace_text(draft)
            self.edit.setFocus()

    def _leave_edit(self) -> None:
        if self._editing is not None:
            draft = self._editing[1]
            self._editing = None
            self._edit_strip.hide()
            self.edit.replace_text(draft)

    # --- events

    def submit(self) -> None:
        text = sanitized_input(self.edit.text)
        if self._streaming:
            self._refuse("The answer is still coming. Stop it first, or wait for its end.")
        elif not self._ready:
            self._sends_when_ready = True
        elif not text.strip():
            self._refuse("Write a message first.")
        elif self._editing is not None:
            self.edit_requested.emit(self._editing[0], text)
        else:
            self.send_requested.emit(text)

    def _refuse(self, sentence: str) -> None:
        self._end_refusal()
        self._refusal = sentence
        self.refused.emit(sentence)

    def _end_refusal(self) -> None:
        sentence, self._refusal = self._refusal, ""
        if sentence:
            self.refusal_over.emit(sentence)

    def _escape(self) -> None:
        if self._streaming:
            self.stop_requested.emit()
        elif self._editing is not None:
            self.cancel_edit()

    def _text_changed(self) -> None:
        if not self._streaming:
            self._end_refusal()
        if self._editing is None:
            self._draft_timer.start()
        self._update_buttons()

    def _update_buttons(self) -> None:
        self.send_button.setVisible(not self._streaming)
        self.stop_button.setVisible(self._streaming)
        document = self.edit.document()
        blank = document.isEmpty() or (document.characterCount() < 200 and not self.edit.text.strip())
        self.send_button.setEnabled(self._ready and not blank)

    def _focus_changed(self, focused: bool) -> None:
        self._focused = focused
        self.update()

    def _theme_changed(self) -> None:
        self.edit.set_font(self._appearance.font(0))
        self._fit_height()
        self.update()

    def fit_window(self) -> None:
        """The window's height changed."""
        self._fit_height()

    def _fit_height(self) -> None:
        limit = max(72, self.window().height() // 3 - 64)
        line = self.edit.fontMetrics().lineSpacing()
        wanted = max(line + 8, self.edit.content_height)
        self.edit.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if wanted > limit else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.edit.setFixedHeight(min(wanted, limit))

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edge = palette.focus if self._focused else palette.border_strong
            painter.setPen(QPen(QColor(edge), 1))
            painter.setBrush(QColor(palette.raised))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), Radius.CARD, Radius.CARD
            )
        finally:
            painter.end()
