"""The list that opens from the model picker: every provider's models, with a field that filters or names one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import shiboken6
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop_chat.chat.providers import Providers
from desktop_chat.domain.errors import ChatError
from desktop_chat.domain.profiles import ModelInfo, Profile
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Card, named
from desktop_chat.ui.theme import Space

_CHOICE = Qt.ItemDataRole.UserRole


class ModelPopup(QFrame):
    """Signals:
    chosen(profile_id, model): a model was picked.
    """

    chosen = Signal(str, str)

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setObjectName("modelPopup")
        self._appearance = appearance
        self._current = ("", "")
        self._place: QPoint | None = None
        self._sections: dict[str, tuple[Profile, list[str], str]] = {}
        self._filter = QLineEdit()
        self._filter.setPlaceholderText("Filter, or name a model")
        named(self._filter, "modelFilter", "Filter models, or name one")
        self._list = QListWidget()
        self._list.setAccessibleName("Models")
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setStyleSheet(
            f"QListWidget::item {{ border-radius: 6px; padding: 0 {Space.S}px; }}"
            f"QListWidget::item:selected {{ background: {appearance.palette.selected};"
            f" color: {appearance.palette.text}; }}"
            f"QListWidget::item:hover:!selected:enabled {{ background: {appearance.palette.hover}; }}"
        )
        card = Card(appearance, outline="border_strong")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        inner.setSpacing(Space.S)
        inner.addWidget(self._filter)
        inner.addWidget(self._list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self._filter.textChanged.connect(self._fill)
        self._list.itemClicked.connect(self._choose)
        self.setFixedWidth(320)

    def set_profiles(self, profiles: Iterable[Profile], profile_id: str, model: str) -> None:
        """The providers in order, and what is in use."""
        self._current = (profile_id, model)
        for profile in profiles:
            known = [profile.default_model] if profile.default_model else []
            self._sections[profile.id] = (profile, known, "Loading…")
        self._fill()

    def set_models(self, profile_id: str, models: Iterable[ModelInfo], problem: str = "") -> None:
        profile, known, _ = self._sections[profile_id]
        names = list(dict.fromkeys([*known, *(model.id for model in models)]))
        self._sections[profile_id] = (profile, names, problem)
        self._fill()

    def open_at(self, corner: QPoint) -> None:
        """``corner`` is the lower left one, in global coordinates."""
        self._place = corner
        self._fit()
        self.show()
        self._filter.setFocus()

    def _fill(self) -> None:
        wanted = self._filter.text().strip().casefold()
        self._list.clear()
        current_row = -1
        for profile, models, note in self._sections.values():
            shown = [model for model in models if wanted in model.casefold()]
            if not shown and wanted:
                continue
            self._add(profile.name, None, heading=True)
            for model in shown:
                if (profile.id, model) == self._current:
                    current_row = self._list.count()
                self._add(model, (profile.id, model))
            if note:
                self._add(note, None)
        if wanted:
            profile_id = self._current[0]
            name = self._filter.text().strip()
            if not any(name in models for _, models, _ in self._sections.values()):
                provider = self._sections[profile_id][0].name if profile_id in self._sections else ""
                self._add(f"Use “{name}” with {provider}", (profile_id, name))
        if current_row < 0:
            current_row = next((r for r in range(self._list.count()) if self._list.item(r).data(_CHOICE)), 0)
        self._list.setCurrentRow(current_row)
        self._fit()

    def _add(self, text: str, choice: tuple[str, str] | None, *, heading: bool = False) -> None:
        item = QListWidgetItem(text)
        item.setData(_CHOICE, choice)
        item.setSizeHint(QSize(100, 30))
        if choice is None:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            item.setFont(self._appearance.font(-2, QFont.Weight.DemiBold if heading else QFont.Weight.Normal))
            palette = self._appearance.palette
            item.setForeground(QColor(palette.text_secondary if heading else palette.text_faint))
        self._list.addItem(item)

    def _fit(self) -> None:
        self._list.setFixedHeight(min(360, max(60, self._list.count() * 30 + 2)))
        self.adjustSize()
        self._stand()

    def _stand(self) -> None:
        """Put the lower edge just above the place it was opened at."""
        if self._place is not None:
            self.move(self._place.x(), self._place.y() - self.height() - Space.XS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._stand()  # the layout has its final height only after the list was filled

    def _choose(self, item: QListWidgetItem | None) -> None:
        choice: Any = item.data(_CHOICE) if item else None
        if choice:
            profile_id, model = choice
            self.close()
            self.chosen.emit(profile_id, model)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            row = self._list.currentRow() + step
            while 0 <= row < self._list.count() and not self._list.item(row).data(_CHOICE):
                row += step
            if 0 <= row < self._list.count():
                self._list.setCurrentRow(row)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._list.currentItem())
        else:
            super().keyPressEvent(event)


async def list_models(popup: ModelPopup, providers: Providers, profile_id: str) -> None:
    """Fill in one provider's models, or why they cannot be had; the popup may be closed meanwhile."""
    models: list[ModelInfo] = []
    problem = ""
    try:
        models = await providers.models(profile_id)
    except ChatError as error:
        problem = error.sentence
    if shiboken6.isValid(popup):
        popup.set_models(profile_id, models, problem)
