"""The grammar as a Python-Markdown extension: blocks and inlines come from `syntax`, the tree is Python-Markdown's.

One element tree serves both outputs: `html` serialises it, `parser` turns it into the block model. Attributes that
only the block model needs (``lines``, ``tight``, ``closed``, ...) never reach the HTML: the serialiser has a list of
what may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ElementTree, SubElement

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.extensions import Extension
from markdown.util import Registry
from markdown_it.token import Token

from desktop_chat.markup import syntax
from desktop_chat.markup.allowance import NOTHING_READ, Budget
from desktop_chat.markup.unfinished import unfinished_tokens
from desktop_chat.markup.watch import Watch

PLAIN = "plain"
"""The tag of an element that stands for its content alone."""

ALLOWED_SCHEMES = frozenset({"http", "https", "mailto"})

_CONTAINERS = {
    "paragraph_open": "p",
    "blockquote_open": "blockquote",
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "list_item_open": "li",
    "table_open": "table",
    "thead_open": "thead",
    "tbody_open": "tbody",
    "tr_open": "tr",
    "th_open": "th",
    "td_open": "td",
    "footnote_reference_open": "footnote",
}
_INLINE_CONTAINERS = {"em_open": "em", "strong_open": "strong", "s_open": "del", "link_open": "a"}


class Piece(NamedTuple):
    """A top-level part of a text: a block, a footnote's definition, or a link reference definition.

    Attributes:
        first_line / end_line: relative to the text that was parsed.
        element: ``None`` for a link reference definition, which shows nothing.
        tokens: the block tokens it was made from.
        asked: the labels its inlines looked up, in order, found or not; a footnote's begins with ``^``.
    """

    first_line: int
    end_line: int
    element: Element | None
    tokens: Sequence[Token]
    asked: tuple[str, ...]


class Tree(NamedTuple):
    """One parsed text.

    Attributes:
        root: one element for each piece that shows something.
        pieces: everything at top level, in source order.
        references / notes: the definitions found in this text (the settled ones before it not included).
        environment: both, as the inline rules take them.
    """

    root: Element
    pieces: list[Piece]
    references: syntax.Definitions
    notes: syntax.Definitions
    environment: syntax.Environment


def build_tree(
    source: str,
    *,
    references: Mapping[str, Any] | None = None,
    notes: Mapping[str, Any] | None = None,
    first_rule: syntax.BlockRule | None = None,
    before: Budget = NOTHING_READ,
    lines_before: int = 0,
    streaming: bool = False,
) -> Tree:
    """Parse ``source``, whose line ends are LF.

    Args:
        references / notes: definitions of the text before it.
        first_rule: see `syntax.block_tokens`.
        before: what of the first inline content was read; see `syntax.inline_tokens`.
        lines_before: how many rows of a table, or lines of a quotation, that the source begins with were read.
        streaming: draw an unfinished end as it will most likely become.
    """
    known_references, known_notes = syntax.Definitions(references), syntax.Definitions(notes)
    environment: syntax.Environment = {
        "references": known_references, "notes": known_notes, "lines_before": lines_before,
    }  # fmt: skip
    tokens = _block_tokens(source, environment, first_rule)
    unfinished = _unfinished_token(source, tokens) if streaming else None
    root = Element(Markdown.doc_tag)
    stack = [root]
    pieces: list[Piece] = []
    began = 0
    for index, token in enumerate(tokens):
        kind = token.type
        if kind == "inline":
            read = unfinished_tokens if token is unfinished else syntax.inline_tokens
            _append_inlines(stack[-1], read(token.content, environment, before=before))
            before = NOTHING_READ
        elif token.nesting > 0:
            element = SubElement(stack[-1], _CONTAINERS.get(kind, token.tag))
            _describe(element, token)
            stack.append(element)
        elif token.nesting < 0:
            stack.pop()
        elif kind != "definition":
            _append_leaf(stack[-1], token)
        if len(stack) == 1:
            first, end = tokens[began].map or (0, 0)
            asked = (*known_references.asked, *("^" + label for label in known_notes.asked))
            shown = None if kind == "definition" else root[-1]
            pieces.append(Piece(first, end, shown, tokens[began : index + 1], asked))
            known_references.asked, known_notes.asked = {}, {}
            began = index + 1
    _refuse_links(root)
    return Tree(root, pieces, known_references, known_notes, environment)


def definitions_in(source: str) -> tuple[syntax.Definitions, syntax.Definitions]:
    """The link references and the footnotes that ``source`` defines, from its block structure alone."""
    references, notes = syntax.Definitions(), syntax.Definitions()
    _block_tokens(source, {"references": references, "notes": notes, "lines_before": 0}, None)
    return references, notes


def _block_tokens(
    source: str, environment: syntax.Environment, first_rule: syntax.BlockRule | None
) -> list[Token]:
    tokens = syntax.block_tokens(source, environment, first_rule)
    for token in tokens:
        if token.type == "footnote_reference_open":
            environment["notes"].setdefault(token.meta["label"], token.map)
    return tokens


def inline_element(content: str, environment: syntax.Environment, watch: Watch, end: int) -> Element:
    """A paragraph of that content alone, whose markup is read up to ``end``."""
    root = Element(Markdown.doc_tag)
    paragraph = SubElement(root, "p")
    _append_inlines(paragraph, syntax.inline_tokens(content, environment, watch=watch, end=end))
    _refuse_links(root)
    return paragraph


def _unfinished_token(source: str, tokens: Sequence[Token]) -> Token | None:
    """The inline token that further text may continue."""
    if source.endswith("\n\n"):
        return None
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        if token.type == "inline":
            if source.endswith("\n") and tokens[index - 1].type != "paragraph_open":
                return None  # Cells and headings end with their line.
            if token.content:
                return token
        elif token.nesting >= 0 and token.tag not in (
            "td",
            "th",
            "tr",
        ):  # Behind the last text, another block.
            return None
    return None


def _describe(element: Element, token: Token) -> None:
    if token.map is not None:
        element.set("lines", f"{token.map[0]} {token.map[1]}")
    if token.hidden:
        element.set("tight", "")
    if token.attrs:
        if "start" in token.attrs:
            element.set("start", str(token.attrs["start"]))
        if "style" in token.attrs:
            element.set("align", str(token.attrs["style"]).removeprefix("text-align:"))
    if token.meta:
        if "checked" in token.meta:
            element.set("checked", "true" if token.meta["checked"] else "false")
        if "label" in token.meta:
            element.set("label", token.meta["label"])


def _append_leaf(parent: Element, token: Token) -> None:
    kind = token.type
    if kind in ("fence", "code_block"):
        element = SubElement(parent, "pre")
        code = SubElement(element, "code")
        code.text = token.content
        if kind == "fence":
            language = syntax.unescaped(token.info).strip().partition(" ")[0].partition("\t")[0]
            if language:
                code.set("class", f"language-{language}")
            if not _is_closed(token):
                element.set("closed", "false")
    elif kind == "math_block":
        element = SubElement(parent, "formula", {"markup": token.markup})
        element.text = token.content
        if not token.meta["closed"]:
            element.set("closed", "false")
    elif kind == "html_block":
        element = SubElement(parent, "raw")
        element.text = token.content
    else:
        element = SubElement(parent, token.tag)
    _describe(element, token)


def _is_closed(fence: Token) -> bool:
    """Whether a fence has its closer: a closed one spans two lines more than it holds."""
    first, end = fence.map or (0, 0)
    held = fence.content.count("\n") + (bool(fence.content) and not fence.content.endswith("\n"))
    return end - first == held + 2


def _append_inlines(parent: Element, tokens: Iterable[Token]) -> None:
    stack = [parent]
    last: Element | None = None  # The sibling whose tail takes text; None while the parent has no child.
    pieces: list[str] = []

    def flush() -> None:
        if pieces:
            text = "".join(pieces)
            pieces.clear()
            if last is None:
                stack[-1].text = (stack[-1].text or "") + text
            else:
                last.tail = text

    for token in tokens:
        kind = token.type
        if kind in ("text", "text_special", "html_inline"):
            pieces.append(token.content)
            continue
        if kind == "softbreak":
            pieces.append("\n")
            continue
        flush()
        if token.nesting > 0:
            if len(stack) >= syntax.MAX_NESTING:
                stack.append(stack[-1])
                continue
            element = SubElement(stack[-1], _INLINE_CONTAINERS[kind])
            if kind == "link_open":
                for name, value in token.attrs.items():
                    element.set(name, str(value))
            stack.append(element)
            last = None
        elif token.nesting < 0:
            closed = stack.pop()
            if closed is not stack[-1]:
                last = closed
        else:
            last = _append_inline_leaf(stack[-1], token)
    flush()


def _append_inline_leaf(parent: Element, token: Token) -> Element:
    kind = token.type
    if kind == "image":
        source = str(token.attrs["src"])
        return SubElement(parent, "img", {"src": source, "alt": _alternative_text(token.children or ())})
    if kind == "footnote_ref":
        return SubElement(parent, "sup", {"label": token.content})
    element = SubElement(parent, "formula" if kind == "math_inline" else token.tag)
    element.text = token.content
    if kind == "math_inline":
        element.set("markup", token.markup)
    return element


def _alternative_text(tokens: Iterable[Token]) -> str:
    pieces: list[str] = []
    for token in tokens:
        if token.type == "image":
            pieces.append(_alternative_text(token.children or ()))
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.nesting == 0:
            pieces.append(token.content)
    return "".join(pieces)


def footnote_numbers(asked: Iterable[Iterable[str]], notes: Iterable[str]) -> dict[str, int]:
    """Footnotes by label, numbered from 1 in order of first reference; what nothing refers to comes last.

    Args:
        asked: the labels that each piece of the text looked up.
        notes: the labels that are defined.
    """
    defined = dict.fromkeys(notes)
    order: dict[str, None] = {}
    for labels in asked:
        for label in labels:
            if label.startswith("^") and label[1:] in defined:
                order[label[1:]] = None
    return {label: number for number, label in enumerate(order | defined, 1)}


def is_allowed(href: str) -> bool:
    """Whether a link may be followed: http, https and mailto only, and never a relative address."""
    scheme, colon, rest = href.partition(":")
    return bool(colon and rest) and scheme.strip().lower() in ALLOWED_SCHEMES


def host_of(address: str) -> str:
    """The host that an address leads to, in lower case; empty where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _refuse_links(root: Element) -> None:
    """A link that `is_allowed` does not let through becomes its text."""
    for link in root.iter("a"):
        if not is_allowed(link.get("href", "")):
            link.tag = PLAIN
            link.attrib.clear()


class TreeBuilder(BlockParser):
    """Python-Markdown's block parser, replaced: the tree is built from tokens."""

    def parseDocument(self, lines: Iterable[str]) -> ElementTree:  # type: ignore[type-arg,unused-ignore]  # noqa: N802
        tree = build_tree("\n".join(lines))
        self.numbers = footnote_numbers((piece.asked for piece in tree.pieces), tree.notes)
        return ElementTree(tree.root)


class Grammar(Extension):
    """GFM in place of Python-Markdown's own grammar, its stages and its inline patterns."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.preprocessors = Registry()
        md.postprocessors = Registry()
        md.treeprocessors = Registry()
        md.parser = TreeBuilder(md)
