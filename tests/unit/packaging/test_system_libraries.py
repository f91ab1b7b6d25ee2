"""Missing libraries of the system are found by loading Qt, and the answer is one command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import system_libraries
from system_libraries import Findings

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux leaves them to the system"
)

LACKING = Findings(
    widgets="",
    screen="libxcb-cursor.so.0: cannot open shared object file",
    libraries=("libxcb-cursor.so.0",),
    fonts=True,
    tools=("Xvfb",),
)


def executable(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_this_system_can_show_a_window() -> None:
    findings = system_libraries.check(Path(sys.executable))
    assert not findings.widgets, findings.sentence


def test_a_python_that_cannot_load_qt_is_reported_with_its_words(tmp_path: Path) -> None:
    python = executable(tmp_path / "python", "echo 'ImportError: libGL.so.1: cannot open' >&2; exit 1")
    findings = system_libraries.check(python, ("no-such-tool",))
    assert "libGL.so.1" in findings.widgets
    assert findings.tools == ("no-such-tool",)
    assert not findings.complete


def test_missing_libraries_are_named() -> None:
    assert LACKING.sentence == "libxcb-cursor.so.0; fonts; Xvfb"


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ("apt-get", ["apt-get install -y", "libxcb-cursor0", "fonts-dejavu-core", " xvfb"]),
        ("dnf", ["dnf install -y", "xcb-util-cursor", "dejavu-sans-fonts", "xorg-x11-server-Xvfb"]),
        ("pacman", ["pacman -S", "xcb-util-cursor", "ttf-dejavu"]),
        ("zypper", ["zypper", "libxcb-cursor0", "dejavu-fonts"]),
    ],
)
def test_one_command_installs_all_of_it(
    manager: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / manager, "exit 0")
    executable(tmp_path / "apt-cache", "exit 1")  # knows none of the newer names
    monkeypatch.setenv("PATH", str(tmp_path))

    command = system_libraries.install_command(LACKING)

    assert command is not None
    for word in words:
        assert word in command
    assert "|" not in command


def test_an_unknown_system_has_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system_libraries.install_command(LACKING) is None


def test_apt_is_asked_for_the_name_that_this_release_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "apt-get", "exit 0")
    executable(tmp_path / "apt-cache", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    command = system_libraries.install_command(LACKING)
    assert command is not None
    assert "libglib2.0-0t64" in command.split()


def test_installing_runs_apt_without_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    executable(tmp_path / "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {asked}')
    executable(tmp_path / "apt-cache", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert system_libraries.apt_install(LACKING, tmp_path / "log" / "apt.log")

    update, install = asked.read_text(encoding="utf-8").splitlines()
    assert update == "noninteractive update -q"
    assert install.startswith("noninteractive install -y --no-install-recommends -q libgl1")
