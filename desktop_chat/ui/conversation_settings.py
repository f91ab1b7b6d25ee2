"""The settings of one conversation: system prompt and generation parameters, each checked as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_chat.domain.settings import PARAMETERS, ParameterSpec, parameters_from
from desktop_chat.ui.controls import Role, label
from desktop_chat.ui.dialog import Dialog, scrolled
from desktop_chat.ui.form import LabelledField
from desktop_chat.ui.theme import Space

if TYPE_CHECKING:
    from desktop_chat.domain.conversations import Conversation
    from desktop_chat.ui.appearance import Appearance


class ConversationSettingsDialog(Dialog):
    """Signals:
    saved(system_prompt, parameters): valid values; ``parameters`` is a `GenerationParameters`.
    """

    saved = Signal(str, object)

    def __init__(self, appearance: Appearance, conversation: Conversation, parent: QWidget) -> None:
        super().__init__(appearance, "Conversation settings", parent)
        self.setObjectName("conversationSettingsDialog")
        self.fields: dict[str, LabelledField] = {}
        self.content.addWidget(label("Conversation settings", "title"))
        self.system_prompt = LabelledField(
            "System prompt", "Sent before the conversation; tells the model how to answer.", lines=5
        )
        self.system_prompt.text = conversation.system_prompt
        page = QWidget()
        grid = QGridLayout()
        grid.setHorizontalSpacing(Space.L)
        grid.setVerticalSpacing(Space.L)
        for place, spec in enumerate(PARAMETERS):
            field = LabelledField(spec.label, _with_range(spec), lines=3 if spec.name == "stop" else 1)
            value = getattr(conversation.parameters, spec.name)
            if isinstance(value, tuple):
                field.text = "\n".join(value)
            elif value is not None:
                field.text = f"{value}"
            if isinstance(field.field, QLineEdit):
                field.field.setPlaceholderText("The server's default")
            field.field.textChanged.connect(lambda *_, name=spec.name: self._check(name))
            self.fields[spec.name] = field
            grid.addWidget(field, place // 2, place % 2, Qt.AlignmentFlag.AlignTop)
        inner = QVBoxLayout(page)
        inner.setContentsMargins(2, 0, Space.M, 0)
        inner.setSpacing(Space.L)
        inner.addWidget(self.system_prompt)
        inner.addLayout(grid)
        inner.addStretch(1)
        self.content.addWidget(scrolled(page), 1)
        cancel = self.button("Cancel")
        cancel.clicked.connect(self.reject)
        self.save_button = self.button("Save", Role.PRIMARY)
        self.save_button.clicked.connect(self._save)
        self.add_buttons(cancel, self.save_button)
        self.resize(560, 640)

    def _check(self, name: str) -> None:
        field = self.fields[name]
        try:
            parameters_from({name: field.text})
        except ValueError as error:
            field.problem.say(str(error))
        else:
            field.problem.say("")
        self.save_button.setEnabled(not any(each.problem.text for each in self.fields.values()))

    def _save(self) -> None:
        parameters = parameters_from({name: field.text for name, field in self.fields.items()})
        self.saved.emit(self.system_prompt.text, parameters)
        self.accept()


def _with_range(spec: ParameterSpec) -> str:
    low, high = spec.minimum, spec.maximum
    if low is None or high is None or high > 1_000_000:
        return spec.description
    return f"{spec.description} {low:g} to {high:g}."
