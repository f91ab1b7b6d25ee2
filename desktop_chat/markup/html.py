"""Markdown to safe HTML, for export and the clipboard.

Only tags and attributes listed here are ever written; everything else in the tree is written as its content. Raw
HTML of the source is shown as text, images are placeholders, links lead to http, https and mailto only.
"""

from __future__ import annotations

import functools
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from desktop_chat.markup.grammar import PLAIN, Grammar, TreeBuilder, host_of
from desktop_chat.markup.source import normalized

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "a": ("href", "title"),
    "code": ("class",),
    "div": ("class",),
    "input": ("type", "disabled", "checked"),
    "li": ("class",),
    "ol": ("start",),
    "section": ("class",),
    "span": ("class",),
    "td": ("align",),
    "th": ("align",),
}
_LINES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "hr", "div", "li", "th", "td"})
_GROUPS = frozenset({"blockquote", "ol", "section", "table", "tbody", "thead", "tr", "ul"})
_TAGS = _LINES | _GROUPS | {"a", "br", "code", "del", "em", "input", "span", "strong", "sup"}
_EMPTY = frozenset({"br", "hr", "input"})


def to_html(text: str) -> str:
    """The text as an HTML fragment, safe to show in any browser and to paste anywhere."""
    return _converter().convert(normalized(text))


def serialize(root: Element) -> str:
    """Python-Markdown's serialiser, replaced: its own leaves ``&amp;`` in code as it is, and writes any tag."""
    pieces: list[str] = []
    # An entry is an element to write, or text that is ready.
    stack: list[Element | str] = [root]
    while stack:
        entry = stack.pop()
        if isinstance(entry, str):
            pieces.append(entry)
            continue
        tag = entry.tag
        after = escape(entry.tail, quote=False) if entry.tail else ""
        if tag not in _TAGS or (tag == "p" and "tight" in entry.attrib):
            if tag == Markdown.doc_tag and entry is root:
                pieces.append("<div>\n")
                after = "</div>"
            opening, closing = "", ""
        else:
            attributes = "".join(
                f' {name}="{escape(entry.attrib[name])}"'
                for name in _ATTRIBUTES.get(tag, ())
                if name in entry.attrib
            )
            opening = f"<{tag}{attributes}>" if tag not in _EMPTY else f"<{tag}{attributes} />"
            closing = "" if tag in _EMPTY else f"</{tag}>"
            if tag in _LINES or tag in _GROUPS:
                if pieces and not pieces[-1].endswith("\n"):
                    opening = "\n" + opening
                closing += "\n"
            if tag in _GROUPS:
                opening += "\n"
        pieces.append(opening)
        if entry.text:
            pieces.append(escape(entry.text, quote=False))
        stack.append(closing + after)
        stack.extend(reversed(entry))
    return "".join(pieces)


class Images(Treeprocessor):
    """An image becomes a placeholder: its alternative text and the host it would be fetched from."""

    def run(self, root: Element) -> None:
        for image in root.iter("img"):
            host = host_of(image.get("src", ""))
            alt = image.get("alt", "")
            image.text = f"{alt} ({host})" if alt and host else alt or host
            image.tag = "span"
            image.attrib = {"class": "image"}


class Formulas(Treeprocessor):
    """A formula is written as its TeX between the delimiters that MathJax and KaTeX look for."""

    def run(self, root: Element) -> None:
        for formula in root.iter("formula"):
            inline = formula.get("lines") is None and formula.get("markup") in ("$", "\\)")
            formula.text = f"\\({formula.text}\\)" if inline else f"\\[{formula.text}\\]"
            formula.tag = "span" if formula.get("lines") is None else "div"
            formula.attrib = {"class": "math"}


class Tasks(Treeprocessor):
    """A task list item begins with its box."""

    def run(self, root: Element) -> None:
        for item in root.iter("li"):
            checked = item.get("checked")
            if checked is None:
                continue
            box = Element("input", {"type": "checkbox", "disabled": ""})
            if checked == "true":
                box.set("checked", "")
            first = item[0] if len(item) else item
            holder = first if first.tag == "p" else item
            box.tail = " " + (holder.text or "")
            holder.text = None
            holder.insert(0, box)


class Footnotes(Treeprocessor):
    """References become numbers, and the notes a section at the end."""

    def __init__(self, md: Markdown) -> None:
        super().__init__(md)
        self.parser: Any = md.parser

    def run(self, root: Element) -> None:
        assert isinstance(self.parser, TreeBuilder)
        numbers = self.parser.numbers
        for reference in root.iter("sup"):
            reference.text = str(numbers[reference.get("label", "")])
        notes: dict[str, Element] = {}
        for note in root.findall("footnote"):
            notes.setdefault(note.get("label", ""), note)
            root.remove(note)
        if notes:
            entries = SubElement(SubElement(root, "section", {"class": "footnotes"}), "ol")
            for label in numbers:
                notes[label].tag = "li"
                entries.append(notes[label])


class RawText(Treeprocessor):
    """Raw HTML blocks stand as text."""

    def run(self, root: Element) -> None:
        for raw in root.iter("raw"):
            raw.tag = PLAIN


@functools.cache
def _converter() -> Markdown:
    md = Markdown(extensions=[Grammar()])
    for priority, processor in enumerate((RawText, Footnotes, Tasks, Formulas, Images)):
        md.treeprocessors.register(processor(md), processor.__name__.lower(), priority)
    md.serializer = serialize
    return md
