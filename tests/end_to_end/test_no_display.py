"""Started where there is no display: a sentence, or off screen where nobody wanted to look anyway."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "desktop_chat", "--data-dir", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_window_without_a_display_is_refused_in_one_line(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no display" in done.stderr


def test_an_answer_and_its_picture_need_no_display(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = start(tmp_path / "data", "--send", "hello", "--screenshot", str(picture), "--exit")
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "complete: " in done.stderr


def test_the_self_test_needs_no_display(tmp_path: Path) -> None:
    done = start(tmp_path, "--self-test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("passed")
