"""Link references and footnotes of a text that is still coming: a definition may arrive long after its users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from desktop_chat.markup.grammar import Tree, footnote_numbers


class KnownLabels(NamedTuple):
    """What the labels of a whole text mean, for the parsing of a part of it.

    Attributes:
        references: all link reference definitions, as markdown-it writes them.
        notes: the labels of all footnotes, in order of definition.
        numbers: of the footnotes that the parts before refer to, or of all of them.
    """

    references: Mapping[str, Any]
    notes: Mapping[str, Any]
    numbers: Mapping[str, int]


class Labels:
    """What every label means so far.

    The label of a footnote begins with ``^`` wherever it stands beside those of links.

    Attributes:
        references: settled link reference definitions, as markdown-it writes them.
        notes: the lines of settled footnote definitions.
        numbers: of all footnotes, in order of first reference.
        are_known: whether they were known beforehand, so that no definition to come can change them.
        asked: the footnotes that were referred to, in order, also those which nothing defines.
    """

    def __init__(self, known: KnownLabels | None = None) -> None:
        self.are_known = known is not None
        self.references: dict[str, Any] = {} if known is None else dict(known.references)
        self.notes: dict[str, Any] = {} if known is None else dict(known.notes)
        self.numbers: dict[str, int] = {}
        self._unsettled: dict[str, str] = {}
        self._order: dict[str, None] = {} if known is None else {"^" + label: None for label in known.numbers}
        self.asked: list[str] = list(self._order)
        self._tail: Tree | None = None

    @property
    def found(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The link references and the footnotes that are defined, in order of definition."""
        tail = self._tail
        if tail is None:
            return self.references, self.notes
        return {**tail.references, **self.references}, self.notes | {
            label: lines for label, lines in tail.notes.items() if label not in self.notes
        }

    def changed_by(self, tree: Tree, open_asked: Iterable[str]) -> set[str]:
        """The labels that mean something else now that the tail reads as ``tree``; renumbers the footnotes."""
        before, self._tail = self._unsettled, tree
        now = {
            label: found["href"] for label, found in tree.references.items() if label not in self.references
        }
        changed = {label for label in now.keys() | before.keys() if now.get(label) != before.get(label)}
        self._unsettled = now
        if self.notes or tree.notes or self.numbers:
            self.asked = [
                *self._order, *open_asked, *(label for piece in tree.pieces for label in piece.asked)
            ]  # fmt: skip
            numbers = footnote_numbers([self.asked], [*self.notes, *tree.notes])
            former, self.numbers = self.numbers, numbers
            both = numbers.keys() | former.keys()
            changed |= {"^" + label for label in both if numbers.get(label) != former.get(label)}
        return changed

    def settle(self, tree: Tree, before_line: int) -> None:
        """Keep the definitions that stand before a line of the tree's source."""
        if self.are_known:
            return
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
