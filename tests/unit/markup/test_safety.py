"""Untrusted text on its way to a terminal, a clipboard, a spreadsheet, a browser."""

from __future__ import annotations

import csv
import io

import pytest

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Table
from desktop_chat.markup.safety import (
    host_of,
    name_of_hidden,
    text_and_host_differ,
    visible_code,
    without_controls,
)
from desktop_chat.markup.tables import table_to_csv


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("a\x08\x07\x00b\x7f", "ab"),
        ("tab\tand\nline\r\n", "tab\tand\nline\r\n"),
        ("\x1b]open ended", ""),
        ("日本 é 👍🏽", "日本 é 👍🏽"),
    ],
)
def test_copies_hold_no_controls(text: str, clean: str) -> None:
    assert without_controls(text) == clean


def test_hidden_characters_show_in_code() -> None:
    assert visible_code("if a\u202e:\u200b\x1b") == "if a⟨RLO⟩:⟨ZWSP⟩⟨ESC⟩"
    assert visible_code("plain\n\tcode é") == "plain\n\tcode é"


@pytest.mark.parametrize(
    ("text", "href", "differ"),
    [
        ("https://bank.com/login", "https://evil.com", True),
        ("bank.com", "https://bank.com.evil.com/", True),
        ("bank.com", "https://bank.com@evil.com/", True),
        ("bank.com", "https://www.bank.com/x", False),
        ("the bank", "https://evil.com", False),
        ("me@c.org", "mailto:me@c.org", False),
        ("me@c.org", "mailto:me@d.org", True),
    ],
)
def test_text_that_names_another_host(text: str, href: str, differ: bool) -> None:
    assert text_and_host_differ(text, href) is differ


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://A.b:8/x", "a.b"), ("https://u:p@h.x", "h.x"), ("mailto:a@b", ""), ("http://[", "")],
)
def test_real_host(address: str, host: str) -> None:
    assert host_of(address) == host


def test_csv() -> None:
    (found,) = parse('| a | "b" |\n|---|---|\n| =1+1 | -2.5 |\n| $x^2$ | x, y |')
    assert isinstance(found.block, Table)
    rows = list(csv.reader(io.StringIO(table_to_csv(found.block))))
    assert rows == [["a", '"b"'], ["'=1+1", "-2.5"], ["x^2", "x, y"]]


def test_hidden_characters_have_names() -> None:
    assert name_of_hidden("\u202e") == "RLO"
    assert name_of_hidden("\x9b") == "9B"
