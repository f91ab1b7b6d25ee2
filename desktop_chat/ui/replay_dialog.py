"""How fast a recording shall be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from desktop_chat.ui.controls import ElidedLabel, Role, Select, label, named
from desktop_chat.ui.dialog import Dialog
from desktop_chat.ui.metrics_bar import duration
from desktop_chat.ui.theme import Space

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_chat.chat.recordings import Replay
    from desktop_chat.ui.appearance import Appearance

_FASTER: Final = 10.0


class ReplayDialog(Dialog):
    """Signals:
    chosen(speed): 1.0 as recorded, 10.0 ten times faster, None at once.
    """

    chosen = Signal(object)

    def __init__(self, appearance: Appearance, replay: Replay, parent: QWidget) -> None:
        super().__init__(appearance, "Replay a recording", parent)
        self.setObjectName("replayDialog")
        self.content.addWidget(label("Replay a recording", "title"))
        self.content.addWidget(ElidedLabel(replay.name, "secondary"))
        self.speed = Select(appearance)
        named(self.speed, "replaySpeed", "Speed of the replay")
        for text, speed in (
            (f"As recorded ({duration(replay.duration_s)})", 1.0),
            (f"{_FASTER:g} times faster ({duration(replay.duration_s / _FASTER)})", _FASTER),
            ("All at once", None),
        ):
            self.speed.addItem(text, speed)
        row = QHBoxLayout()
        row.setSpacing(Space.M)
        name = label("Speed", "strong")
        name.setBuddy(self.speed)
        row.addWidget(name)
        row.addWidget(self.speed, 1)
        self.content.addLayout(row)
        cancel = self.button("Cancel")
        cancel.clicked.connect(self.reject)
        self.replay_button = self.button("Replay", Role.PRIMARY)
        self.replay_button.clicked.connect(self._replay)
        self.add_buttons(cancel, self.replay_button)
        self.setMinimumWidth(400)
        self.replay_button.setFocus()

    def _replay(self) -> None:
        self.chosen.emit(self.speed.currentData())
        self.accept()
