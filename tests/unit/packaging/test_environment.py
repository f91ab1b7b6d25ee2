"""The virtual environment survives interruption and two set-ups at once, and failures are explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import environment
import pytest

SCRIPTS = Path(environment.__file__).parent


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("anyio==4.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What looks like an environment whose Python works."""
    place = tmp_path / ".venv"
    python = environment.python_of(place)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return place


def test_complete_only_with_the_stamp_of_this_lock(place: Path, lock: Path) -> None:
    assert not environment.is_complete(place, lock)
    (place / environment.STAMP).write_text(
        str(environment.wanted_stamp(lock)).replace("'", '"'), encoding="utf-8"
    )
    assert environment.is_complete(place, lock)

    lock.write_text("anyio==4.1 \\\n    --hash=sha256:01\n", encoding="utf-8")
    assert not environment.is_complete(place, lock)


def test_a_damaged_stamp_counts_as_none(place: Path, lock: Path) -> None:
    (place / environment.STAMP).write_text('{"lock": ', encoding="utf-8")
    assert not environment.is_complete(place, lock)


def test_an_interrupted_set_up_starts_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / environment.UNFINISHED).touch()
    (place / "half-installed").touch()
    assert not environment.is_usable(place)

    environment.create(place, sys.executable)

    assert not (place / "half-installed").exists()
    assert environment.python_of(place).exists()
    assert "interrupted" in capsys.readouterr().err


def test_an_environment_whose_python_is_gone_is_made_again(place: Path) -> None:
    environment.python_of(place).unlink()
    environment.python_of(place).symlink_to(place / "removed")
    assert not environment.is_usable(place)


def test_an_environment_made_by_hand_without_pip_is_left_alone(place: Path) -> None:
    python = environment.python_of(place)
    python.unlink()
    python.write_text("#!/bin/sh\necho No module named pip >&2; exit 1\n", encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(environment.SetupError, match=r"no working pip\.\nMove it away"):
        environment.is_usable(place)
    assert python.exists()


def test_a_full_disk_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "NEEDED_BYTES", 10**18)
    with pytest.raises(environment.SetupError, match="too little space"):
        environment.create(tmp_path / ".venv", sys.executable)
    assert not (tmp_path / ".venv").exists()


def set_up_in_another_process(place: Path) -> subprocess.Popen[str]:
    """One that gets in, says so, and stays until a line is written to it."""
    script = (
        "import sys, pathlib, environment\n"
        "with environment.only_one(pathlib.Path(sys.argv[1])):\n"
        "    print('in', flush=True); sys.stdin.readline()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, str(place)],
        cwd=SCRIPTS,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    place = tmp_path / ".venv"
    with set_up_in_another_process(place) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in\n"
        with set_up_in_another_process(place) as second:
            assert second.stderr is not None
            assert "waiting" in second.stderr.readline()
            first.communicate("\n")
            said, _ = second.communicate("\n")
    assert said == "in\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "WARNING: Retrying ... NewConnectionError('Failed to establish', '[Errno -2]')",
            "cannot be reached",
        ),
        ("Max retries exceeded with url: /simple/", "cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "not the one that was pinned",
        ),
        (
            "ERROR: No matching distribution found for pyside6-essentials==6.12.0",
            "does not exist for this system",
        ),
        ("ERROR: Something else", "Something else"),
        ("", "pip failed"),
    ],
)
def test_a_failing_installation_is_explained(output: str, words: str) -> None:
    assert words in environment.explain_pip_failure(output)
