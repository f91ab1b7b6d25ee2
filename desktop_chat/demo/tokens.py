"""The demo server's tokens: pieces of words, cut as a tokenizer would, so that speeds look like a model's."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PIECE = re.compile(r" ?[^\W_]{1,7}|\n+| +|[^\w\s]{1,3}|.", re.DOTALL)


def pieces(text: str) -> list[str]:
    """``text`` cut into tokens of one to eight characters; joined they are ``text`` again."""
    return _PIECE.findall(text)


def cut(tokens: Sequence[str], length: int) -> list[str]:
    """The tokens of the first ``length`` characters; the last one is cut where they end."""
    kept: list[str] = []
    for token in tokens:
        if length <= 0:
            break
        kept.append(token[:length])
        length -= len(token)
    return kept
