"""The theme in force: from the settings and the system to palette, style sheet and font of the application."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication

from desktop_chat.ui import fonts, style
from desktop_chat.ui.theme import Palette, Theme, theme_for

_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


class Appearance(QObject):
    """Owns the `Theme` that every widget paints with.

    Attributes:
        theme: the one in force.

    Signals:
        changed: ``theme`` is another one now; repaint.
    """

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._choice, self._font_size, self._reduce_motion = "system", 15, False
        application.setStyle("Fusion")  # the only style that a style sheet changes fully and everywhere alike
        fonts.load_interface_fonts()
        self.theme = self._theme()
        self._apply()
        application.styleHints().colorSchemeChanged.connect(self._renew)

    def choose(self, choice: str, font_size: int, *, reduce_motion: bool = False) -> None:
        """``choice`` is ``system``, ``light`` or ``dark``; ``font_size`` in pixels."""
        wanted = (choice, font_size, reduce_motion)
        if wanted != (self._choice, self._font_size, self._reduce_motion):
            self._choice, self._font_size, self._reduce_motion = wanted
            # Also turns the window's frame dark where the platform draws it.
            self._application.styleHints().setColorScheme(_SCHEMES.get(choice, Qt.ColorScheme.Unknown))
            self._renew()

    @property
    def palette(self) -> Palette:
        return self.theme.palette

    def font(self, step: int = -1, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The interface's font at a step of the type scale."""
        return fonts.sans(self.theme.size(step), weight)

    def _theme(self) -> Theme:
        dark = self._choice == "dark"
        if self._choice == "system":
            dark = self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return theme_for(dark=dark, font_size=self._font_size, reduce_motion=self._reduce_motion)

    def _renew(self) -> None:
        theme = self._theme()
        if theme != self.theme:
            self.theme = theme
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        self._application.setFont(self.font())
        palette: QPalette = style.palette(self.theme)
        self._application.setPalette(palette)
        self._application.setStyleSheet(style.sheet(self.theme))
