"""The settings: pages made from the table of settings, the providers, and what this program is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from desktop_chat import __version__
from desktop_chat.domain.settings import SETTINGS
from desktop_chat.ui.controls import Select, label, named
from desktop_chat.ui.dialog import Dialog, scrolled
from desktop_chat.ui.form import SettingRow
from desktop_chat.ui.icons import icon
from desktop_chat.ui.product_mark import ProductMark
from desktop_chat.ui.provider_page import ProviderPage
from desktop_chat.ui.theme import Space

if TYPE_CHECKING:
    from desktop_chat.chat.preferences import Preferences
    from desktop_chat.chat.providers import Providers
    from desktop_chat.ui.appearance import Appearance
    from desktop_chat.ui.event_loop import Tasks

PAGES: Final = {
    "appearance": ("Appearance", "palette", ("appearance.",)),
    "composer": ("Composer", "keyboard", ("composer.",)),
    "providers": ("Providers", "key", ()),
    "network": ("Network", "globe", ("network.", "demo.")),
    "privacy": ("Privacy", "shield-check", ("privacy.",)),
    "about": ("About", "info", ()),
}
"""Page by name: title, icon, and the sections of the settings table it shows."""

_USUAL: Final = QSize(780, 560)
_SMALLEST: Final = QSize(320, 320)
_FRAME: Final = QSize(16, 48)
"""What window managers put around a dialog, at most."""

_NARROW: Final = 620
"""Below this width the page is chosen above the pages instead of beside them."""


class SettingsDialog(Dialog):
    """Changes are in force at once and saved in the background; there is nothing to confirm."""

    def __init__(
        self,
        appearance: Appearance,
        preferences: Preferences,
        providers: Providers,
        tasks: Tasks,
        parent: QWidget,
    ) -> None:
        super().__init__(appearance, "Settings", parent)
        self.setObjectName("settingsDialog")
        self.setAccessibleName("Settings")
        self._preferences, self._providers, self._tasks = preferences, providers, tasks
        self._names = list(PAGES)
        self._provider_page = ProviderPage(appearance, preferences, providers, tasks)
        self.list = QListWidget()
        self.list.setAccessibleName("Pages")
        self.list.setFixedWidth(168)
        self.list.setIconSize(QSize(18, 18))
        self.chooser = Select(appearance)
        named(self.chooser, "settingsPageChooser", "Page")
        self.pages = QStackedWidget()
        for name, (title, _icon, sections) in PAGES.items():
            item = QListWidgetItem(title)
            item.setSizeHint(QSize(100, 36))
            self.list.addItem(item)
            self.chooser.addItem(title)
            self.pages.addWidget(self._page(name, title, sections))
        self.list.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.list.currentRowChanged.connect(self.chooser.setCurrentIndex)
        self.chooser.currentIndexChanged.connect(self.list.setCurrentRow)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.addWidget(self.list)
        self._body.addWidget(self.chooser)
        self._body.addWidget(self.pages, 1)
        self.content.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        self.content.addLayout(self._body, 1)
        self.setMinimumSize(_SMALLEST)
        self.resize(_USUAL.boundedTo(parent.screen().availableSize() - _FRAME).expandedTo(_SMALLEST))
        appearance.changed.connect(self._paint_list)
        self._paint_list()

    def open_page(self, name: str) -> None:
        """Show the dialog at a page of `PAGES`."""
        self.list.setCurrentRow(self._names.index(name))
        self.show()
        self.raise_()
        self.activateWindow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._body.setDirection(down if narrow else right)
        self._body.setSpacing(Space.L if narrow else Space.XL)
        self.list.setVisible(not narrow)
        self.chooser.setVisible(narrow)
        self._provider_page.set_narrow(narrow=narrow)

    def _paint_list(self) -> None:
        palette = self.appearance.palette
        for row, (_title, icon_name, _sections) in enumerate(PAGES.values()):
            self.list.item(row).setIcon(icon(icon_name, palette.text_secondary, 18))
        self.list.setStyleSheet(
            f"QListWidget::item {{ border-radius: 8px; padding: 0 {Space.S}px; }}"
            f"QListWidget::item:selected {{ background: {palette.selected}; color: {palette.text}; }}"
            f"QListWidget::item:hover:!selected {{ background: {palette.hover}; }}"
        )

    def _page(self, name: str, title: str, sections: tuple[str, ...]) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(2, 0, Space.M, 0)
        layout.setSpacing(0)
        heading = label(title, "title")
        heading.setContentsMargins(0, Space.XS, 0, Space.S)
        layout.addWidget(heading)
        if name == "providers":
            layout.addWidget(self._provider_page, 1)
        elif name == "about":
            self._fill_about(layout)
        for spec in SETTINGS:
            if spec.name.startswith(sections) and sections:
                row = SettingRow(self.appearance, spec, self._preferences.settings)
                row.changed.connect(self._change)
                layout.addWidget(row)
        layout.addStretch(1)
        return scrolled(content)

    def _fill_about(self, layout: QVBoxLayout) -> None:
        layout.setSpacing(Space.S)
        layout.addWidget(ProductMark(56), 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(label(f"Desktop Chat {__version__}", "heading"))
        layout.addWidget(label("A native desktop client for large language models.", "secondary", wraps=True))
        layout.addWidget(
            label(
                "MIT licence. Typefaces: Inter and JetBrains Mono (SIL Open Font License). Icons: Phosphor (MIT).",
                "secondary",
                wraps=True,
            )
        )

    def _change(self, name: str, value: str | float | bool) -> None:
        changed = self._preferences.settings.with_value(name, value)
        self._tasks.spawn(self._preferences.change(changed), "save settings")
