"""Files shipped with the program are found from a checkout and from an installed wheel."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from desktop_chat import resources

REPOSITORY = Path(__file__).parents[2]


def test_a_resource_is_read_from_the_checkout() -> None:
    assert resources.read_text(resources.APPLICATION_ICON).startswith("<svg")


@pytest.mark.parametrize(
    "name", ["icons/absent.svg", "../pyproject.toml", "icons/../../LICENSE", "/etc/hostname"]
)
def test_what_is_no_resource_is_refused(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        resources.resource(name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_resource(wheel: Path) -> None:
    shipped = {name for name in ZipFile(wheel).namelist() if name.startswith("desktop_chat/_resources/")}
    pictures = REPOSITORY / "resources" / "screenshots"  # of the README
    files = (
        path
        for path in (REPOSITORY / "resources").rglob("*")
        if path.is_file() and pictures not in path.parents
    )
    assert shipped == {
        "desktop_chat/_resources/" + path.relative_to(REPOSITORY / "resources").as_posix() for path in files
    }


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"desktop_chat"}


def test_resources_load_from_the_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    script = (
        f"import sys; sys.path[:0] = [{str(target)!r}]; sys.path.append({sysconfig.get_path('purelib')!r})\n"
        "from desktop_chat import resources\n"
        "print(resources.root()); print(resources.read_text(resources.APPLICATION_ICON)[:4])"
    )
    # -S -I: neither the checkout nor the editable installation may be what is found
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    place, start = done.stdout.splitlines()
    assert Path(place) == target / "desktop_chat" / "_resources"
    assert start == "<svg"


def test_the_wheel_offers_both_commands(wheel: Path) -> None:
    archive = ZipFile(wheel)
    name = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    entry_points = archive.read(name).decode()
    assert "desktop-chat = desktop_chat.cli:main" in entry_points
    assert "[gui_scripts]\ndesktop-chat-gui" in entry_points
