"""Opening links of answers: web and mail only, never without the person knowing the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from desktop_chat.ui.main_window import MainWindow

SCHEMES: Final = frozenset({"http", "https", "mailto"})


def names_its_host(url: QUrl, shown: str) -> bool:
    """Whether the text of a link says where it leads: all of the host, and nothing that hides another one."""
    host = url.host() or url.path()
    words = shown.strip().removeprefix("https://").removeprefix("http://").removeprefix("mailto:")
    return bool(host) and (words == host or words.startswith(f"{host}/")) and not url.userInfo()


def open_link(window: MainWindow, href: str, shown: str) -> None:
    """Open a link with the system's program for it; ask first where its text does not name the host."""
    url = QUrl(href, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme().lower() not in SCHEMES:
        window.toast.say(f"Links of this kind are not opened: {href[:80]}")
        return
    if names_its_host(url, shown):
        QDesktopServices.openUrl(url)
        return
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("Open link")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Open {url.host() or url.path()}?")
    box.setInformativeText(href[:500])
    box.setStandardButtons(QMessageBox.StandardButton.Open | QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.button(QMessageBox.StandardButton.Open).clicked.connect(lambda: QDesktopServices.openUrl(url))
    box.open()
