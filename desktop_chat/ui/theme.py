"""The look, as named tokens: everything that is painted takes its colours, distances and type sizes from here.

Colours are ``#rrggbb``. Every text colour has a contrast of at least 4.5 on each surface it is used on (a test
computes it); borders and icons at least what WCAG asks of them.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec


class Space(enum.IntEnum):
    """The one spacing scale, in device-independent pixels."""

    XS = 4
    S = 8
    M = 12
    L = 16
    XL = 24
    XXL = 32


class Radius(enum.IntEnum):
    """Corner radii in device-independent pixels."""

    SMALL = 4
    MEDIUM = 8
    LARGE = 12
    CARD = 16


SIDEBAR_WIDTH: Final = 260
TEXT_COLUMN_WIDTH: Final = 760
"""The widest a line of an answer gets; about 70 to 90 characters at the default size."""
MINIMUM_WINDOW_WIDTH: Final = 420
SCROLL_BAR: Final = 10
"""Width of a scroll bar; what stands above and below the transcript is centred as its column is."""


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """Colours by role.

    Attributes:
        page / sidebar / raised: surfaces: the transcript, the list, cards and fields above a surface.
        user_card / code_card / code_header: surfaces inside the transcript.
        text / text_secondary / text_faint: main text, labels, the quietest readable text.
        border / border_strong: hairlines, and the outline of fields and focusable cards.
        hover / pressed / selected: surface of list rows and quiet buttons in these states.
        accent / on_accent / accent_hover: the one strong colour, text on it, and it under the pointer.
        focus: the keyboard focus ring.
        selection: behind selected text. find / find_current: behind search hits.
    """

    page: str
    sidebar: str
    raised: str
    user_card: str
    code_card: str
    code_header: str
    inline_code: str
    text: str
    text_secondary: str
    text_faint: str
    border: str
    border_strong: str
    hover: str
    pressed: str
    selected: str
    accent: str
    accent_hover: str
    on_accent: str
    link: str
    focus: str
    selection: str
    find: str
    find_current: str
    error: str
    error_surface: str
    error_border: str
    warning: str
    warning_surface: str
    success: str
    quote_bar: str
    scrollbar: str
    scrollbar_hover: str
    syntax_keyword: str
    syntax_string: str
    syntax_comment: str
    syntax_number: str
    syntax_function: str
    syntax_type: str
    syntax_builtin: str
    syntax_operator: str
    syntax_inserted: str
    syntax_deleted: str


LIGHT: Final = Palette(
    page="#ffffff",
    sidebar="#f6f6f4",
    raised="#ffffff",
    user_card="#f2f2ef",
    code_card="#f8f8f6",
    code_header="#f1f1ee",
    inline_code="#f0f0ed",
    text="#1f1f1d",
    text_secondary="#55544f",
    text_faint="#696862",
    border="#e5e4df",
    border_strong="#cfcec8",
    hover="#ecebe7",
    pressed="#e2e1dc",
    selected="#e6e8f5",
    accent="#3454d1",
    accent_hover="#2a45b0",
    on_accent="#ffffff",
    link="#2f4cc0",
    focus="#5b78f0",
    selection="#cdd8ff",
    find="#fdebb2",
    find_current="#fbc94a",
    error="#b3261e",
    error_surface="#fdf3f2",
    error_border="#f1c9c5",
    warning="#7a5200",
    warning_surface="#fdf6e3",
    success="#1a7040",
    quote_bar="#d3d2cc",
    scrollbar="#cbcac4",
    scrollbar_hover="#a5a49e",
    syntax_keyword="#8a2be2",
    syntax_string="#1d6b3a",
    syntax_comment="#6a6963",
    syntax_number="#9a4a00",
    syntax_function="#2450c4",
    syntax_type="#0b6477",
    syntax_builtin="#7a3e9d",
    syntax_operator="#4a4944",
    syntax_inserted="#1d6b3a",
    syntax_deleted="#b3261e",
)

DARK: Final = Palette(
    page="#1c1c1b",
    sidebar="#161615",
    raised="#252524",
    user_card="#2a2a28",
    code_card="#232322",
    code_header="#2a2a29",
    inline_code="#2f2f2d",
    text="#e8e7e3",
    text_secondary="#b4b3ad",
    text_faint="#9b9a94",
    border="#343432",
    border_strong="#4b4b48",
    hover="#262625",
    pressed="#30302e",
    selected="#2b3050",
    accent="#4f6bea",
    accent_hover="#3f5bd9",
    on_accent="#ffffff",
    link="#9db1ff",
    focus="#7f97ff",
    selection="#3a4a8c",
    find="#4f3f0f",
    find_current="#7a5c08",
    error="#ff9c93",
    error_surface="#2e1f1e",
    error_border="#5c3330",
    warning="#f0c674",
    warning_surface="#2c2617",
    success="#7bd19a",
    quote_bar="#4b4b48",
    scrollbar="#464643",
    scrollbar_hover="#62625e",
    syntax_keyword="#c9a5ff",
    syntax_string="#98d4a3",
    syntax_comment="#9b9a94",
    syntax_number="#f2b27a",
    syntax_function="#93b4ff",
    syntax_type="#7fd1de",
    syntax_builtin="#d9a8e8",
    syntax_operator="#c9c8c2",
    syntax_inserted="#98d4a3",
    syntax_deleted="#ff9c93",
)


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """A palette with the reader's text size.

    Attributes:
        font_size: of an answer's running text, in device-independent pixels; all other sizes follow from it.
        reduce_motion: no breathing cursor, no animated transitions.
    """

    palette: Palette
    is_dark: bool
    font_size: int = 15
    reduce_motion: bool = False

    def size(self, step: int) -> int:
        """Type scale: step 0 is running text, +1..+3 are headings, -1 labels, -2 the smallest print."""
        return max(9, round(self.font_size * _SCALE[step]))

    @property
    def column_width(self) -> int:
        """The widest a line may get, in pixels; grows with the reader's text size, as a measure should."""
        return round(TEXT_COLUMN_WIDTH * max(1.0, self.font_size / 15))


_SCALE: Final = {-2: 0.80, -1: 0.87, 0: 1.0, 1: 1.13, 2: 1.33, 3: 1.6}


def theme_for(*, dark: bool, font_size: int = 15, reduce_motion: bool = False) -> Theme:
    return Theme(
        palette=DARK if dark else LIGHT, is_dark=dark, font_size=font_size, reduce_motion=reduce_motion
    )
