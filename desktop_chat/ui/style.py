"""The theme's tokens as a Qt palette and style sheet, for the widgets that do not paint themselves."""

from __future__ import annotations

from string import Template
from typing import Final

from PySide6.QtGui import QColor, QPalette

from desktop_chat.ui.theme import Radius, Space, Theme

_SHEET: Final = Template("""
QWidget { color: $text; }
QMainWindow, QDialog, #page { background: $page; }
QToolTip { color: $text; background: $raised; border: 1px solid $border_strong; padding: ${xs}px ${s}px; }

QLabel { background: transparent; }
QLabel[kind="title"] { font-size: ${size_2}px; font-weight: 600; }
QLabel[kind="heading"] { font-size: ${size_1}px; font-weight: 600; }
QLabel[kind="strong"] { font-weight: 600; }
QLabel[kind="secondary"] { color: $text_secondary; }
QLabel[kind="faint"] { color: $text_faint; font-size: ${size_small}px; }
QLabel[kind="error"] { color: $error; font-size: ${size_small}px; }
QLabel[kind="success"] { color: $success; font-size: ${size_small}px; }

QLineEdit, QPlainTextEdit[kind="field"] {
    background: $raised; border: 1px solid $border_strong; border-radius: ${radius}px; padding: 6px 9px;
    selection-background-color: $selection; selection-color: $text; placeholder-text-color: $text_faint;
}
QLineEdit:hover, QPlainTextEdit[kind="field"]:hover { border-color: $text_faint; }
QLineEdit:focus, QPlainTextEdit[kind="field"]:focus { border: 2px solid $focus; padding: 5px 8px; }
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] { border-color: $error; }
QLineEdit:disabled { color: $text_faint; background: $sidebar; }
QLineEdit[kind="search"] { background: $search; border-color: transparent; padding-left: 30px; }
QLineEdit[kind="search"]:hover { background: $pressed; }
QLineEdit[kind="search"]:focus { background: $raised; padding-left: 29px; }
QLineEdit[kind="inline"] { border: 2px solid $focus; border-radius: 6px; padding: 0 6px; background: $raised; }

QMenu { background: $raised; border: 1px solid $border_strong; border-radius: ${radius}px; padding: 5px; }
QMenu::item { padding: 6px 14px 6px 10px; border-radius: 5px; }
QMenu::item:selected { background: $hover_raised; }
QMenu::item:disabled { color: $text_faint; }
QMenu::separator { height: 1px; background: $border; margin: 5px 6px; }
QMenu::indicator { width: 0; }

QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $border_strong; padding: 4px; outline: 0;
    selection-background-color: $hover_raised; selection-color: $text;
}
QComboBox QAbstractItemView::item { min-height: 28px; padding: 0 8px; border-radius: 5px; }

QDialogButtonBox, QMessageBox, QFileDialog, QPrintDialog { dialogbuttonbox-buttons-have-icons: 0; }
QDialogButtonBox QPushButton {
    background: $raised; border: 1px solid $border_strong; border-radius: ${radius}px; padding: 7px 14px;
    min-width: 56px; font-weight: 600;
}
QDialogButtonBox QPushButton:hover { background: $hover_raised; }
QDialogButtonBox QPushButton:pressed { background: $pressed; }
QDialogButtonBox QPushButton:focus { border: 2px solid $focus; padding: 6px 13px; }
QMessageBox QLabel#qt_msgbox_label { font-size: ${size_1}px; font-weight: 600; }
QMessageBox QLabel#qt_msgbox_informativelabel { color: $text_secondary; min-width: 340px; }

QListView, QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: 0; outline: 0; }

QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; margin: 0; }
QScrollBar::handle { background: $scrollbar; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $scrollbar_hover; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def mixed(first: str, second: str, share: float) -> str:
    """``share`` (0 to 1) of the second colour in the first."""
    a, b = QColor(first), QColor(second)
    channels = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()), strict=True)
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in channels)


def sheet(theme: Theme) -> str:
    """The application's style sheet."""
    palette = theme.palette
    colors = {name: str(getattr(palette, name)) for name in palette.__struct_fields__}
    return _SHEET.substitute(
        colors,
        search=mixed(palette.sidebar, palette.text, 0.055),
        hover_raised=mixed(palette.raised, palette.text, 0.07),
        xs=int(Space.XS),
        s=int(Space.S),
        radius=int(Radius.MEDIUM),
        size_2=theme.size(2),
        size_1=theme.size(1),
        size_small=theme.size(-2),
    )


def palette(theme: Theme) -> QPalette:
    """The application's palette; what a style sheet does not reach takes its colours from here."""
    colors = theme.palette
    roles = QPalette.ColorRole
    made = QPalette()
    for role, name in (
        (roles.Window, colors.page),
        (roles.WindowText, colors.text),
        (roles.Base, colors.raised),
        (roles.AlternateBase, colors.sidebar),
        (roles.Text, colors.text),
        (roles.PlaceholderText, colors.text_faint),
        (roles.Button, colors.raised),
        (roles.ButtonText, colors.text),
        (roles.BrightText, colors.error),
        (roles.ToolTipBase, colors.raised),
        (roles.ToolTipText, colors.text),
        (roles.Highlight, colors.selection),
        (roles.HighlightedText, colors.text),
        (roles.Link, colors.link),
        (roles.LinkVisited, colors.link),
        (roles.Light, colors.raised),
        (roles.Midlight, colors.border),
        (roles.Mid, colors.border_strong),
        (roles.Dark, colors.border_strong),
        (roles.Shadow, colors.border_strong),
    ):
        made.setColor(role, QColor(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.text_faint))
    return made
