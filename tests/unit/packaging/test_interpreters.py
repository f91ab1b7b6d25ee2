"""A Python is chosen by trying it."""

from __future__ import annotations

import sys
from pathlib import Path

import interpreters
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which interpreters are looked for."""
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.delenv("DESKTOP_CHAT_PYTHON", raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(folder / "absent"))
    return folder


def stand_in(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def reporting(version: str, *, missing: str = "", library: str = "true", path: str = "/opt/python") -> str:
    """The body of a stand-in that answers the probe as such a Python would."""
    return (
        f'echo \'{{"path": "{path}{version}", "version": [{version.replace(".", ", ")}], "final": true, '
        f'"missing": [{missing}], "library": {library}}}\''
    )


def test_the_newest_that_runs_is_chosen_and_a_failing_shim_is_passed_over(path: Path) -> None:
    stand_in(path / "python3.14", "echo 'pyenv: python3.14: command not found' >&2; exit 127")
    stand_in(path / "python3.12", reporting("3.12.4"))
    stand_in(path / "python3.11", reporting("3.11.9"))
    stand_in(path / "python3", reporting("3.13.1"))

    search = interpreters.find_interpreters()

    assert [one.name for one in search.usable] == ["Python 3.13.1", "Python 3.12.4", "Python 3.11.9"]
    assert any("python3.14: fails when run" in line for line in search.others)


def test_a_python_without_venv_is_named_with_the_package_that_completes_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(path / "python3", reporting("3.11.2", missing='"ensurepip"'))
    stand_in(path / "apt-get", "exit 0")

    search = interpreters.find_interpreters()

    assert not search.usable
    assert "lacks ensurepip" in search.advice
    if sys.platform.startswith("linux"):
        assert "sudo apt-get install -y python3 python3.11-venv" in search.advice


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.15.0", "2.7.18"])
def test_other_versions_are_not_used(path: Path, version: str) -> None:
    stand_in(path / "python3", reporting(version))
    search = interpreters.find_interpreters()
    assert not search.usable
    assert f"Python {version}" in search.advice


def test_a_bundle_needs_the_shared_library(path: Path) -> None:
    stand_in(path / "python3.13", reporting("3.13.0", library="false"))
    stand_in(path / "python3.12", reporting("3.12.4"))

    assert interpreters.find_interpreters().usable[0].version == (3, 13, 0)
    assert interpreters.find_interpreters(for_bundle=True).usable[0].version == (3, 12, 4)


def test_the_running_python_answers_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKTOP_CHAT_PYTHON", sys.executable)
    search = interpreters.find_interpreters()
    assert [one.version for one in search.usable] == [sys.version_info[:3]]


def test_one_that_is_wished_for_is_the_only_one_tried(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(path / "python3.13", reporting("3.13.1"))
    stand_in(path / "mine", reporting("3.11.9"))
    monkeypatch.setenv("DESKTOP_CHAT_PYTHON", str(path / "mine"))
    assert [one.version for one in interpreters.find_interpreters().usable] == [(3, 11, 9)]
