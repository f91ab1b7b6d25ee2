"""Rows of a settings page: a label with its description, a control, and a problem in words beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_chat.domain.settings import Settings, SettingSpec, SettingValue
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import SWITCH_INSET, Select, Switch, label
from desktop_chat.ui.theme import Space


class Problem:
    """Marks a field as wrong and says why below it; what screen readers hear is the same."""

    def __init__(self, field: QWidget) -> None:
        self._field = field
        self.label = label("", "error", wraps=True)
        self.label.hide()

    @property
    def text(self) -> str:
        return self.label.text()

    def say(self, sentence: str) -> None:
        """An empty sentence means that all is well."""
        self.label.setText(sentence)
        self.label.setVisible(bool(sentence))
        self._field.setAccessibleDescription(sentence)
        if self._field.property("invalid") != bool(sentence):
            self._field.setProperty("invalid", bool(sentence))
            self._field.style().unpolish(self._field)
            self._field.style().polish(self._field)


class LabelledField(QWidget):
    """A label above a text field, a faint description or the problem below.

    Args:
        lines: 1 for a line, more for a field of several lines.
    """

    def __init__(
        self, name: str, description: str = "", *, lines: int = 1, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.field: QLineEdit | QPlainTextEdit
        if lines == 1:
            self.field = QLineEdit()
        else:
            self.field = QPlainTextEdit()
            self.field.setProperty("kind", "field")
            self.field.setTabChangesFocus(True)
            self.field.setFixedHeight(self.field.fontMetrics().lineSpacing() * lines + 22)
        self.field.setAccessibleName(name)
        self.problem = Problem(self.field)
        title = label(name, "strong")
        title.setBuddy(self.field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addWidget(title)
        layout.addWidget(self.field)
        if description:
            layout.addWidget(label(description, "faint", wraps=True))
        layout.addWidget(self.problem.label)

    @property
    def text(self) -> str:
        return self.field.text() if isinstance(self.field, QLineEdit) else self.field.toPlainText()

    @text.setter
    def text(self, value: str) -> None:
        if isinstance(self.field, QLineEdit):
            self.field.setText(value)
        else:
            self.field.setPlainText(value)


class SettingRow(QWidget):
    """One setting of the table: words at the left, its control at the right.

    Signals:
        changed(name, value): another, valid value.
    """

    changed = Signal(str, object)

    def __init__(self, appearance: Appearance, spec: SettingSpec, settings: Settings) -> None:
        super().__init__()
        self._spec = spec
        self._appearance = appearance
        self.control = self._make_control(settings.get(spec.name))
        self.control.setObjectName(spec.name)
        self.control.setAccessibleName(spec.label)
        self.control.setToolTip(spec.description)
        self.problem = Problem(self.control)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(spec.label, "strong"))
        words.addWidget(label(spec.description, "secondary", wraps=True))
        words.addWidget(self.problem.label)
        layout = QHBoxLayout(self)
        # A switch brings this room for its ring; so all controls end at the same place.
        ring = 0 if isinstance(self.control, Switch) else SWITCH_INSET
        layout.setContentsMargins(0, Space.M, ring, Space.M)
        layout.setSpacing(Space.L)
        layout.addLayout(words, 1)
        layout.addWidget(self.control, 0, Qt.AlignmentFlag.AlignVCenter)

    def _make_control(self, value: SettingValue) -> QWidget:
        spec = self._spec
        if isinstance(spec.default, bool):
            switch = Switch(self._appearance)
            switch.setChecked(bool(value))
            switch.toggled.connect(lambda on: self.changed.emit(spec.name, on))
            return switch
        if spec.choices:
            select = Select(self._appearance)
            for key, name in spec.choices.items():
                select.addItem(name, key)
            select.setCurrentIndex(select.findData(value))
            select.setFixedWidth(180)
            select.currentIndexChanged.connect(lambda: self.changed.emit(spec.name, select.currentData()))
            return select
        field = QLineEdit(f"{value:g}" if isinstance(value, float) else str(value))
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setFixedWidth(112)
        if spec.unit:
            unit = label(spec.unit, "secondary")
            unit.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inside = QHBoxLayout(field)
            inside.setContentsMargins(0, 0, 10, 0)
            inside.addWidget(unit, 0, Qt.AlignmentFlag.AlignRight)
            field.setTextMargins(0, 0, 36, 0)
        field.textEdited.connect(self._typed)
        return field

    def _typed(self, text: str) -> None:
        value: object = text
        try:
            value = int(text) if isinstance(self._spec.default, int) else float(text.replace(",", "."))
        except ValueError:
            value = text
        problem = self._spec.problem_with(value) or ""
        self.problem.say(problem)
        if not problem:
            self.changed.emit(self._spec.name, value)
