"""The tree of errors: each says what happened, whose fault it is, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktop_chat.domain import errors
from desktop_chat.domain.errors import ChatError, Fault


def classes(parent: type[ChatError] = ChatError) -> Iterator[type[ChatError]]:
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from classes(child)


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_every_error_speaks_to_a_person(kind: type[ChatError]) -> None:
    report = kind("the system's words").report()
    assert report.sentence.endswith(".")
    assert report.sentence != ChatError.default_sentence, "each has a sentence of its own"
    assert report.advice.endswith(".")
    assert "fault" in {name for parent in kind.__mro__ for name in vars(parent)}
    assert isinstance(report.fault, Fault)
    assert report.message == "the system's words"


def test_kinds_are_unique_and_the_tree_is_drawn() -> None:
    found = list(classes())
    named = [
        kind for kind in found if "kind" in vars(kind)
    ]  # one without is told from its parent by its cause
    assert len({kind.kind for kind in named}) == len(named) >= 17
    assert all(issubclass(kind, tuple(named)) for kind in found)
    drawn = errors.__doc__ or ""
    assert all(f"{kind.__name__} " in drawn for kind in found)
