"""Link references and footnotes of a text that is still coming: a definition may arrive long after its users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from desktop_chat.markup.grammar import Tree, footnote_numbers


class Labels:
    """What every label means so far.

    The label of a footnote begins with ``^`` wherever it stands beside those of links.

    Attributes:
        references: settled link reference definitions, as markdown-it writes them.
        notes: the lines of settled footnote definitions.
        numbers: of all footnotes, in order of first reference.
    """

    def __init__(self) -> None:
        self.references: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}
        self.numbers: dict[str, int] = {}
        self._unsettled: dict[str, str] = {}
        self._order: dict[str, None] = {}

    def changed_by(self, tree: Tree, open_asked: Iterable[str]) -> set[str]:
        """The labels that mean something else now that the tail reads as ``tree``; renumbers the footnotes."""
        before = self._unsettled
        now = {
            label: found["href"] for label, found in tree.references.items() if label not in self.references
        }
        changed = {label for label in now.keys() | before.keys() if now.get(label) != before.get(label)}
        self._unsettled = now
        if self.notes or tree.notes or self.numbers:
            asked = [self._order, open_asked, *(piece.asked for piece in tree.pieces)]
            numbers = footnote_numbers(asked, [*self.notes, *tree.notes])
            former, self.numbers = self.numbers, numbers
            both = numbers.keys() | former.keys()
            changed |= {"^" + label for label in both if numbers.get(label) != former.get(label)}
        return changed

    def settle(self, tree: Tree, before_line: int) -> None:
        """Keep the definitions that stand before a line of the tree's source."""
        for label, definition in tree.references.items():
            if definition["map"][0] < before_line:
                self.references.setdefault(label, definition)
                self._unsettled.pop(label, None)
        for label, lines in tree.notes.items():
            if lines[0] < before_line:
                self.notes.setdefault(label, lines)

    def remember(self, asked: Iterable[str]) -> None:
        """A settled piece asked for these: the order of its footnotes stands."""
        self._order.update(dict.fromkeys(label for label in asked if label.startswith("^")))

    def all_references(self, tree: Tree) -> Mapping[str, Any]:
        return {**tree.references, **self.references}

    def all_notes(self, tree: Tree) -> Mapping[str, Any]:
        return {**tree.notes, **self.notes}
