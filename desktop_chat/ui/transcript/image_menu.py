"""What can be done with the image under the pointer, or with those of the message that the keyboard is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from desktop_chat.ui.transcript.shown_images import Phase, can_be_shown, images_of, offer

if TYPE_CHECKING:
    from desktop_chat.markup.blocks import InlineImage
    from desktop_chat.ui.transcript.view import TranscriptView


def add_image_actions(menu: QMenu, view: TranscriptView, point: QPointF, row: int | None) -> None:
    """Add the entries at the menu's end, with a separator after them."""
    under = view.pointer.image_at(point)
    if under is not None:
        _add(menu, view, under)
        menu.addSeparator()
        return
    layout = None if row is None else view.stack.known_layout(row)
    found = [] if layout is None else [item for item in images_of(layout) if can_be_shown(item.url)]
    if len(found) == 1:
        _add(menu, view, found[0])
    elif found:
        images = menu.addMenu("Images")
        for item in found:
            _add(images.addMenu((item.alt or "Image")[:60].replace("&", "&&")), view, item)
    if found:
        menu.addSeparator()


def _add(menu: QMenu, view: TranscriptView, item: InlineImage) -> None:
    address = item.url

    def entry(text: str, name: str) -> None:
        menu.addAction(text.replace("&", "&&"), lambda: view.image_action.emit(name, address))

    known = view.images.image(address)
    if known.phase is Phase.SHOWN:
        entry("Hide image", "hide")
        entry("Copy image", "copy")
        entry("Save image as…", "save")
    elif known.phase is not Phase.LOADING and can_be_shown(address):
        entry(offer(address), "show")
    menu.addAction("Copy image address", lambda: QGuiApplication.clipboard().setText(address))
