"""Colours that can be read: every pair of text and surface the program paints."""

from __future__ import annotations

import pytest

from desktop_chat.ui.theme import DARK, LIGHT, Palette

TEXTS = ("text", "text_secondary", "text_faint")
SURFACES = ("page", "sidebar", "raised", "user_card", "hover")
PAIRS = [
    *((text, surface) for text in TEXTS for surface in SURFACES),
    ("text", "selected"), ("text", "pressed"), ("text", "selection"), ("text", "find"), ("text", "find_current"),
    ("text_secondary", "find"), ("on_accent", "accent"), ("on_accent", "accent_hover"), ("link", "page"),
    ("link", "user_card"), ("error", "page"), ("error", "error_surface"), ("text", "error_surface"),
    ("text_secondary", "error_surface"), ("warning", "page"), ("text", "warning_surface"),
    ("text_secondary", "warning_surface"), ("success", "page"),
    *((f"syntax_{kind}", "code_card") for kind in (
        "keyword", "string", "comment", "number", "function", "type", "builtin", "operator", "inserted", "deleted",
    )),
]  # fmt: skip


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "surface"), PAIRS)
def test_contrast_is_at_least_four_and_a_half(palette: Palette, ink: str, surface: str) -> None:
    first, second = sorted(luminance(getattr(palette, name)) for name in (ink, surface))
    assert (second + 0.05) / (first + 0.05) >= 4.5
