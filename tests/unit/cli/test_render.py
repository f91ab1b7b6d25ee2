"""`render`: a file as a page, and what goes wrong with files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop_chat.cli import main


def test_file_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(b"\xef\xbb\xbf# Gr\xc3\xbc\xc3\x9fe\r\n\r\nText[^1] \xff\r\n\r\n[^1]: Note")
    assert main(["render", "--html", "--theme", "dark", str(file)]) == 0
    output = capsys.readouterr().out
    assert output.startswith("<!DOCTYPE html>\n")
    assert "<title>notes</title>" in output
    assert "<h1>Grüße</h1>" in output
    assert "Text<sup>1</sup> \ufffd" in output
    assert 'content="dark"' in output


def test_standard_input_as_a_page() -> None:
    command = [sys.executable, "-m", "desktop_chat", "render", "-"]
    run = subprocess.run(command, input=b"*hello*", capture_output=True, check=True)
    assert b"<p><em>hello</em></p>" in run.stdout


def test_file_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(tmp_path / "none.md")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("desktop-chat: ")
    assert "none.md cannot be read: No such file or directory" in captured.err


def test_folder_instead_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err
