"""What `make run` decides before the program starts."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import bootstrap
import pytest

OLD_SYNTAX = (3, 8)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is a display")
@pytest.mark.usefixtures("no_display")
class TestDisplay:
    def test_none(self) -> None:
        assert not bootstrap.display_available()

    def test_one_that_nobody_serves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", ":4321")
        assert not bootstrap.display_available()

    def test_one_that_is_served(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("\0/tmp/.X11-unix/X4322")
            server.listen()
            monkeypatch.setenv("DISPLAY", ":4322.0")
            assert bootstrap.display_available()

    def test_wayland(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert bootstrap.display_available()

    def test_a_forwarded_one_is_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", "localhost:10.0")
        assert bootstrap.display_available()


@pytest.mark.usefixtures("no_display")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is a display")
def test_without_a_display_the_main_job_runs_off_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$QT_QPA_PLATFORM $*"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(bootstrap, "set_up", lambda: program)
    monkeypatch.setattr(bootstrap, "SCREENSHOT", tmp_path / "pictures" / "window.png")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)

    assert bootstrap.run([]) == 0

    shown = capfd.readouterr()
    assert shown.out.startswith("offscreen -m desktop_chat")
    assert "--exit" in shown.out
    first, last = shown.err.strip().splitlines()
    assert "No display" in first
    assert last.endswith("window.png")


def test_wrong_use_is_one_line_and_status_2() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(bootstrap.__file__)), "explode"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


@pytest.mark.parametrize(
    "name", ["bootstrap", "environment", "interpreters", "system_libraries", "virtual_screen"]
)
def test_the_set_up_is_written_for_old_interpreters(name: str) -> None:
    import ast

    path = Path(bootstrap.__file__).with_name(f"{name}.py")
    ast.parse(path.read_text(encoding="utf-8"), feature_version=OLD_SYNTAX)
