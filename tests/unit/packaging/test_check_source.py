"""The rules of `make lint` that are the project's own."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import check_source
import pytest

UI_MODULE = Path("desktop_chat/ui/window.py")


def lines(source: str, path: Path = UI_MODULE) -> list[int]:
    return [line for line, _ in check_source.violations(path, dedent(source))]


@pytest.mark.parametrize("call", ["dialog.exec()", "QMenu(self).exec(position)", "self.loop.exec_()"])
def test_a_nested_event_loop_in_a_coroutine_is_found(call: str) -> None:
    assert lines(f"async def ask(self):\n    if ready:\n        {call}\n") == [3]


def test_exec_outside_coroutines_is_allowed() -> None:
    assert not lines(
        """
        def main():
            application.exec()

        async def connect():
            button.clicked.connect(lambda: menu.exec())

            def show():
                menu.exec()
        """
    )


def test_a_coroutine_inside_a_function_is_looked_into() -> None:
    assert lines("def outer():\n    async def inner():\n        dialog.exec()\n    menu.exec()\n") == [3]


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager"])
def test_vague_module_names_are_refused(name: str) -> None:
    assert lines("", Path(f"desktop_chat/chat/{name}.py")) == [1]


def test_a_long_module_is_refused_in_the_program_only() -> None:
    source = "pass\n" * (check_source.LONGEST_MODULE + 1)
    assert lines(source)
    assert not lines(source, Path("tests/unit/test_long.py"))
