"""The lock files pin everything by hash, for every platform, and name no address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "packaging"
LOCKS = sorted(FOLDER.glob("requirements*.lock"))


def requirements(lock: Path) -> list[str]:
    """One string for each requirement, with its hashes."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def versions(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for requirement in requirements(lock):
        name, version = requirement.split()[0].split("==")
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    for requirement in requirements(lock):
        assert re.match(r"[a-z0-9-]+==\S+ ", requirement), requirement
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_address_is_recorded(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|@ ", text)


def test_qt_is_the_version_that_is_sound_on_each_python() -> None:
    text = "\n".join(requirements(FOLDER / "requirements.lock"))
    assert re.search(r"pyside6-essentials==6\.11\.3 ; python_full_version < '3\.12'", text)
    assert re.search(r"pyside6-essentials==6\.12\.0 ; python_full_version >= '3\.12'", text)
    assert "pyside6-addons" not in text


def test_all_locks_agree_on_versions() -> None:
    runtime = versions(FOLDER / "requirements.lock")
    for lock in LOCKS:
        found = versions(lock)
        assert {name: found[name] for name in runtime} == runtime
