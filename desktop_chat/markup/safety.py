"""What untrusted text may not do: steer a terminal, hide characters in code, pass one address off as another."""

from __future__ import annotations

import re

from desktop_chat.markup.grammar import host_of, is_allowed

__all__ = [
    "host_of",
    "is_allowed",
    "name_of_hidden",
    "text_and_host_differ",
    "visible_code",
    "without_controls",
]

_ESCAPE_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC
    "|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HOST_IN_TEXT = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?((?:[\w-]+\.)+[a-z]{2,})(?=[/:?#\s]|$)", re.IGNORECASE)

_C0_NAMES = (
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
)  # fmt: skip

_INVISIBLE = {
    **{code: f"\u27e8{name}\u27e9" for code, name in {
        0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO", 0x2066: "LRI", 0x2067: "RLI",
        0x2068: "FSI", 0x2069: "PDI", 0x200E: "LRM", 0x200F: "RLM", 0x061C: "ALM", 0x200B: "ZWSP", 0x200C: "ZWNJ",
        0x200D: "ZWJ", 0x2060: "WJ", 0xFEFF: "BOM", 0x00AD: "SHY", 0x180E: "MVS", 0x2028: "LS", 0x2029: "PS",
        0x7F: "DEL",
    }.items()},
    **{code: f"\u27e8{name}\u27e9" for code, name in enumerate(_C0_NAMES) if code not in (0x09, 0x0A)},
    **{code: f"\u27e8{code:02X}\u27e9" for code in range(0x80, 0xA0)},
    **{code: f"\u27e8U+{code:X}\u27e9" for code in range(0xE0000, 0xE0080)},
}  # fmt: skip
"""Characters that reorder or hide what code says, and what to show in their place: names, as few fonts have
pictures of controls."""


def without_controls(text: str) -> str:
    """``text`` fit for the clipboard and a terminal: without escape sequences and controls, tab and line ends kept."""
    if _CONTROL.search(text) is None:  # every sequence begins with a control
        return text
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))


def visible_code(code: str) -> str:
    """``code`` with bidirectional controls, zero-width and control characters shown by name.

    For painting only: copies take the code itself. Lengths differ where anything was replaced.
    """
    return code if code.isascii() and code.isprintable() else code.translate(_INVISIBLE)


def name_of_hidden(character: str) -> str:
    """What `visible_code` shows in place of one character, without its brackets."""
    return _INVISIBLE[ord(character)].strip("\u27e8\u27e9")


def text_and_host_differ(text: str, href: str) -> bool:
    """Whether a link's text names a host other than the one it leads to: worth a question before following it."""
    named = _HOST_IN_TEXT.search(text)
    if named is None:
        return False
    real = host_of(href) or href.rpartition("@")[2].lower()
    return named[1].lower().removeprefix("www.") != real.removeprefix("www.")
