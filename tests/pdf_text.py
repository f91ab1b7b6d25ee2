"""The text of PDF documents as Qt writes them: enough to see what is on which page, and no more."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"\n(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9a-fA-F]+)> Tj")
_RANGE = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4})> (?:<([0-9A-F]{4})>|\[(.*?)\])", re.DOTALL)


def page_texts(document: bytes) -> list[str]:
    """The text of each page, in the order it was painted; lines are not told apart."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(document)}
    characters: dict[int, dict[int, str]] = {}
    for number, body in objects.items():
        if font := re.search(rb"/ToUnicode (\d+) 0 R", body):
            characters[number] = _characters(_stream(objects[int(font[1])]))
    texts = []
    for body in objects.values():
        if b"/Type /Page\n" in body:
            contents = re.search(rb"/Contents (\d+) 0 R", body)
            assert contents is not None
            texts.append(_text(_stream(objects[int(contents[1])]), characters))
    return texts


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found is not None
    return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]


def _characters(table: bytes) -> dict[int, str]:
    known: dict[int, str] = {}
    for first, last, start, values in _RANGE.findall(table):
        for code in range(int(first, 16), int(last, 16) + 1) if start else ():
            known[code] = chr(int(start, 16) + code - int(first, 16))
        for index, value in enumerate(re.findall(rb"<([0-9A-F]+)>", values)):
            known[int(first, 16) + index] = bytes.fromhex(value.decode()).decode("utf-16-be", "replace")
    return known


def _text(contents: bytes, characters: dict[int, dict[int, str]]) -> str:
    font = 0
    pieces: list[str] = []
    for number, glyphs in _SHOWN.findall(contents):
        if number:
            font = int(number)
            continue
        codes = [int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4)]
        pieces += [characters.get(font, {}).get(code, "") for code in codes]
    return "".join(pieces)
