"""The languages of fenced code: which lexer of Pygments reads one, and what people call it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_ALIASES = {
    "jsonc": "json",
    "json5": "json",
    "shellscript": "bash",
    "proto": "protobuf",
    "node": "js",
    "kt": "kotlin",
    "vue": "html",
}
_NAME = re.compile(r"[\w+#.-]+")


@functools.lru_cache(maxsize=64)
def lexer_for(language: str) -> Lexer | None:
    """The lexer for a fence's language, ``None`` for plain text and what Pygments does not know."""
    match = _NAME.match(language.strip().lower().removeprefix("{").removeprefix("."))
    if match is None or match[0] in ("text", "plain", "plaintext", "txt"):
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(_ALIASES.get(match[0], match[0]), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


_DISPLAY_NAMES = {
    "": "", "text": "Text", "txt": "Text", "plain": "Text", "plaintext": "Text", "sh": "Shell", "shell": "Shell",
    "docker": "Dockerfile", "dockerfile": "Dockerfile", "jsonc": "JSON with comments", "json5": "JSON5", "vue": "Vue",
    "console": "Console", "latex": "LaTeX", "r": "R", "jsx": "JSX", "tsx": "TSX",
}  # fmt: skip


def language_name(language: str) -> str:
    """What a fence's language is called; as it was written where Pygments does not know it."""
    alias = language.strip().lower()
    found = _DISPLAY_NAMES.get(alias)
    return _pygments_names().get(_ALIASES.get(alias, alias), language) if found is None else found


@functools.cache
def _pygments_names() -> Mapping[str, str]:
    from pygments.lexers import get_all_lexers

    return {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
