"""The files shipped with the program: icons, themes, translations, demo texts.

They live in ``resources/`` at the top of a source checkout and in ``desktop_chat/_resources/`` of a wheel and of
a frozen bundle.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

APPLICATION_ICON: Final = "icons/desktop-chat.svg"


@cache
def root() -> Path:
    """The folder of all resources. Raises FileNotFoundError when the installation lacks it."""
    # Paths, not importlib.resources: the program is never run from a zip file, and its first picture need not
    # wait 10 ms for the machinery that could.
    packaged = Path(__file__).resolve().parent / "_resources"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parent.parent / "resources"
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError("The program's resource files are missing; install it again.")


def resource(name: str) -> Path:
    """The resource at ``name``, a path with forward slashes below `root`.

    Raises FileNotFoundError for a name that is absent or leads out of the resources.
    """
    parts = name.split("/")
    found = root().joinpath(*parts)
    if ".." in parts or name.startswith("/") or not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"No resource is called {name!r}.")
    return found


def read_bytes(name: str) -> bytes:
    """The content of the resource file ``name``."""
    return resource(name).read_bytes()


def read_text(name: str) -> str:
    """The content of the resource file ``name``, which is UTF-8."""
    return resource(name).read_text(encoding="utf-8")
