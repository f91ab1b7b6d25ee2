"""Lexing by a Pygments lexer from any place on, with the state that it has there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def resumed_tokens(
    lexer: Any, code: str, position: int, state: tuple[str, ...]
) -> Iterator[tuple[int, Any, str, tuple[str, ...] | None]]:
    """`RegexLexer.get_tokens_unprocessed` from a position and a state on, telling the state before each token.

    Pygments' own takes a state to begin with but neither a position nor tells the state it ends in.
    """
    from pygments.token import Error, Whitespace, _TokenType

    rules = lexer._tokens  # noqa: SLF001 - the compiled rules have no public name
    stack = list(state)
    while True:
        for match, action, new_state in rules[stack[-1]]:
            found = match(code, position)
            if found is None:
                continue
            before = tuple(stack)
            if action is not None:
                if type(action) is _TokenType:
                    yield position, action, found.group(), before
                else:
                    for at, token, value in action(lexer, found):
                        yield at, token, value, (before if at == position else None)
            position = found.end()
            _move(stack, new_state)
            break
        else:
            if position >= len(code):
                return
            if code[position] == "\n":
                yield position, Whitespace, "\n", tuple(stack)
                stack = ["root"]
            else:
                yield position, Error, code[position], tuple(stack)
            position += 1


def _move(stack: list[str], new_state: Any) -> None:
    """A rule's change of state, as `RegexLexer` has it."""
    if new_state is None:
        return
    if isinstance(new_state, tuple):
        for state in new_state:
            if state == "#pop":
                if len(stack) > 1:
                    stack.pop()
            elif state == "#push":
                stack.append(stack[-1])
            else:
                stack.append(state)
    elif isinstance(new_state, int):
        if abs(new_state) >= len(stack):
            del stack[1:]
        else:
            del stack[new_state:]
    else:
        stack.append(stack[-1])
