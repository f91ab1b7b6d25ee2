"""Fonts, line heights and character formats, all derived from the theme."""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QTextCharFormat

from desktop_chat.markup.blocks import Style
from desktop_chat.ui import fonts
from desktop_chat.ui.theme import Theme

INLINE_CODE_PADDING: Final = 4
"""Horizontal room, in pixels, between inline code and the edge of its rounded background."""

CODE_SCALE: Final = 0.88
"""Fixed-pitch type looks larger than running text of the same size."""


@cache
def color(name: str) -> QColor:
    """The colour ``#rrggbb``; shared, so never change it in place."""
    return QColor(name)


class TextStyle:
    """One kind of running text: a font, a line height and the character formats upon it.

    Attributes:
        line_height: distance between baselines, whole pixels.
        baseline: from the top of a line to its baseline, whole pixels.
        color: of text without another colour.
    """

    def __init__(self, font: QFont, fixed: QFont, line_height: int, text_color: str, theme: Theme) -> None:
        self.font = font
        self.plain_font = QFont(font)
        """Without contextual alternates, which take long to find in a thousand signs without a word."""
        self.plain_font.setFeature(QFont.Tag("calt"), 0)
        self.color = color(text_color)
        self.line_height = line_height
        self.metrics = QFontMetricsF(font)
        room = line_height - self.metrics.ascent() - self.metrics.descent()
        self.baseline = round(room / 2 + self.metrics.ascent())
        self.ascent = self.metrics.ascent()
        self.average_width = self.metrics.averageCharWidth() * 1.05
        self._theme = theme
        self._fixed = QFont(fixed)
        self._fixed.setPixelSize(max(8, round(font.pixelSize() * CODE_SCALE)))
        self._formats: dict[tuple[Style, float], QTextCharFormat] = {}

    def format(self, style: Style, spacing: float = 0.0) -> QTextCharFormat:
        """The format of ``style``; ``spacing`` pixels are added after each character (shared: do not change)."""
        found = self._formats.get((style, spacing))
        if found is None:
            found = self._formats[style, spacing] = self._make_format(style, spacing)
        return found

    def _make_format(self, style: Style, spacing: float) -> QTextCharFormat:
        made = QTextCharFormat()
        palette = self._theme.palette
        font = QFont(self._fixed if style & Style.CODE else self.font)
        if style & Style.BOLD:
            font.setWeight(
                QFont.Weight.Bold if self.font.weight() >= QFont.Weight.DemiBold else QFont.Weight.DemiBold
            )
        if style & Style.ITALIC:
            font.setItalic(True)
        if style & Style.STRIKE:
            font.setStrikeOut(True)
        if style & Style.FOOTNOTE:
            made.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
        if spacing:
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
        made.setFont(font)
        if style & (Style.LINK | Style.FOOTNOTE):
            made.setForeground(color(palette.link))
        if style & Style.LINK:
            underline = QColor(palette.link)
            underline.setAlphaF(0.35)
            made.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            made.setUnderlineColor(underline)
        return made


class Typography:
    """All text styles of one theme.

    Attributes:
        body / quiet: running text of answers; of reasoning.
        code: lines of code cards.
        label / small: labels on cards; the smallest print.
    """

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        palette = theme.palette
        fixed = fonts.mono(theme.size(0))

        def style(
            step: int,
            text_color: str,
            leading: float,
            weight: QFont.Weight = QFont.Weight.Normal,
            scale: float = 1.0,
        ) -> TextStyle:
            size = round(theme.size(step) * scale)
            return TextStyle(fonts.sans(size, weight), fixed, round(size * leading), text_color, theme)

        bold = QFont.Weight.DemiBold
        self.body = style(0, palette.text, 1.6)
        self.quiet = style(0, palette.text_secondary, 1.55, scale=0.94)
        self.quote = style(0, palette.text_secondary, 1.6)
        self.footnote = style(-1, palette.text_secondary, 1.5)
        self.table = style(0, palette.text, 1.5, scale=0.94)
        self.table_header = style(0, palette.text, 1.5, bold, scale=0.94)
        self.headings = (
            style(3, palette.text, 1.3, bold),
            style(2, palette.text, 1.35, bold),
            style(1, palette.text, 1.4, bold),
            style(0, palette.text, 1.5, bold),
            style(0, palette.text_secondary, 1.5, bold),
            style(-1, palette.text_secondary, 1.5, bold),
        )
        self.label = style(-1, palette.text_secondary, 1.5)
        self.label_strong = style(-1, palette.text, 1.5, bold)
        self.faint = style(-1, palette.text_faint, 1.5)
        self.small = style(-2, palette.text_faint, 1.5)
        self.error = style(0, palette.error, 1.5, bold, scale=0.96)
        self.warning = style(-1, palette.warning, 1.5)
        code_size = max(9, round(theme.size(0) * CODE_SCALE))
        self.code = TextStyle(fonts.mono(code_size), fixed, round(code_size * 1.58), palette.text, theme)

    @property
    def column_width(self) -> int:
        """See `Theme`."""
        return self.theme.column_width


def elided(style: TextStyle, text: str, width: float) -> str:
    return style.metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
