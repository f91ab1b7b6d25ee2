"""`to_html` against the examples of the GFM specification, under this program's policy.

The policy changes what is expected: raw HTML is shown as text, images are placeholders, and a link that is not http,
https or mailto is its text.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from desktop_chat.markup import to_html

_EXAMPLE = re.compile(r"^`{32} example[^\n]*\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)
_RAW = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^>]*>", re.DOTALL)
_BLOCKS = re.compile(
    "</?(?:blockquote|br|div|h[1-6]|hr|input|li|ol|p|pre|section|table|tbody|td|th|thead|tr|ul) "
)


def examples(spec: str) -> list[tuple[str, str]]:
    """Markdown and HTML of every example; the specification writes tabs as arrows."""
    return [
        (source.replace("→", "\t"), expected.replace("→", "\t"))
        for source, expected in _EXAMPLE.findall(spec)
    ]


def raw_html_as_text(source: str, expected: str) -> str:
    """``expected`` with every tag escaped that the example's author wrote himself."""

    def shown(match: re.Match[str]) -> str:
        return escape(match[0], quote=False) if match[0] in source else match[0]

    return _RAW.sub(shown, expected)


class _Normalizer(HTMLParser):
    """HTML as a list of tags and texts in which insignificant space does not count."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.events: list[str] = []
        self._text = ""
        self._in_pre = 0
        self._links: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img":
            host = urlsplit(values.get("src", "")).hostname or ""
            self._text += " ".join(filter(None, (values.get("alt", ""), host and f"({host})")))
            return
        if tag == "span":
            return
        if tag == "a":
            self._links.append(values.get("href", "").lower().startswith(("http:", "https:", "mailto:")))
            if not self._links[-1]:
                return
        self._flush(tag)
        self._in_pre += tag == "pre"
        self.events.append(f"<{tag} {sorted(values.items())}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("span", "img", "br", "hr", "input") or (tag == "a" and not self._links.pop()):
            return
        self._flush(tag)
        self._in_pre -= tag == "pre"
        self.events.append(f"</{tag} >")

    def handle_data(self, data: str) -> None:
        self._text += data

    def _flush(self, tag: str) -> None:
        text = self._text if self._in_pre else re.sub(r"\s+", " ", self._text)
        if not self._in_pre:
            if _BLOCKS.match(f"<{tag} "):
                text = text.rstrip()
            if not self.events or _BLOCKS.match(self.events[-1]):
                text = text.lstrip()
        if text:
            self.events.append(repr(text))
        self._text = ""

    def result(self) -> list[str]:
        self.close()
        self._flush("p")
        return self.events


def normalized(html: str) -> list[str]:
    normalizer = _Normalizer()
    normalizer.feed(html)
    return normalizer.result()


def agrees(source: str, expected: str) -> bool:
    return normalized(to_html(source)) == normalized(raw_html_as_text(source, expected))


@pytest.mark.shared_data
def test_at_least_96_percent_of_the_specification(shared_data: Path) -> None:
    found = examples((shared_data / "markdown" / "gfm-spec.txt").read_text(encoding="utf-8"))
    assert len(found) > 600
    failing = [
        (number, source) for number, (source, expected) in enumerate(found, 1) if not agrees(source, expected)
    ]
    share = 1 - len(failing) / len(found)
    print(f"{share:.1%} of {len(found)} examples; not: {[number for number, _ in failing]}")
    assert share >= 0.96, failing
