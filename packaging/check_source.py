"""Rules of this code base that no linter knows; part of ``make lint``.

Prints one line a violation, ``path:line: what``, and exits 1 when there is any.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parent.parent
CHECKED = ("desktop_chat", "packaging", "tests")
LONGEST_MODULE = 400
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}


class _NestedLoops(ast.NodeVisitor):
    """Finds calls of ``.exec()`` that a coroutine makes itself.

    A modal loop inside a coroutine re-enters the event loop, which qasync does not survive: ``open()`` and a future
    instead.
    """

    def __init__(self) -> None:
        self.lines: list[int] = []
        self._in_coroutine = False

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node, in_coroutine=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node, in_coroutine=False)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node, in_coroutine=False)

    def visit_Call(self, node: ast.Call) -> None:
        if (
            self._in_coroutine
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"exec", "exec_"}
        ):
            self.lines.append(node.lineno)
        self.generic_visit(node)

    def _visit_function(self, node: ast.AST, *, in_coroutine: bool) -> None:
        outside, self._in_coroutine = self._in_coroutine, in_coroutine
        self.generic_visit(node)
        self._in_coroutine = outside


def violations(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Line numbers (from 1) and what is wrong there. ``path`` is relative to the repository."""
    if path.stem in VAGUE_NAMES:
        yield 1, f"a module called {path.stem!r} says nothing about what it holds"
    length = source.count("\n")
    if path.parts[0] == "desktop_chat" and length > LONGEST_MODULE:
        yield LONGEST_MODULE, f"{length} lines; a module has at most {LONGEST_MODULE}"
    finder = _NestedLoops()
    finder.visit(ast.parse(source, filename=str(path)))
    for line in finder.lines:
        yield line, "exec() inside a coroutine breaks the event loop; use open() and await a future"


def main() -> int:
    count = 0
    for folder in CHECKED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT)
            for line, problem in violations(relative, path.read_text(encoding="utf-8")):
                print(f"{relative.as_posix()}:{line}: {problem}")
                count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
