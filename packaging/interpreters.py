"""Which Python to build the virtual environment from: found by trying each, never by its name.

A ``python3.12`` on PATH may be a shim that fails when run, and Debian's ``python3`` may come without ``venv``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

OLDEST = (3, 11)
NEWEST = (3, 14)
VERSIONS = [(3, minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
NEEDED_MODULES = ("venv", "ensurepip", "ssl", "sqlite3", "ctypes", "zlib", "bz2", "lzma")

_PROBE = """
import importlib, json, sys, sysconfig
missing = []
for name in {modules!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
if "sqlite3" not in missing:
    import sqlite3
    try:
        sqlite3.connect(":memory:").execute("create virtual table probe using fts5(text)")
    except sqlite3.OperationalError:
        missing.append("sqlite3 with FTS5")
print(json.dumps({{
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "final": sys.version_info[3] == "final",
    "missing": missing,
    "library": sys.platform == "win32" or bool(
        sysconfig.get_config_var("Py_ENABLE_SHARED") or sysconfig.get_config_var("PYTHONFRAMEWORK")
    ),
}}))
"""


class Interpreter(NamedTuple):
    """One Python as it reported itself.

    Attributes:
        missing: modules of the standard library that it lacks and the program needs.
        library: whether it comes as a shared library, which a standalone bundle is made from.
    """

    path: str
    version: tuple[int, int, int]
    final: bool
    missing: tuple[str, ...]
    library: bool

    @property
    def supported(self) -> bool:
        return OLDEST <= self.version[:2] <= NEWEST and self.final

    @property
    def name(self) -> str:
        return "Python " + ".".join(map(str, self.version))


class Search(NamedTuple):
    """What was found.

    Attributes:
        usable: complete and of a supported version, newest first.
        lacking: of a supported version, but without something that is needed, newest first.
        others: everything else that was tried, as lines for people.
    """

    usable: list[Interpreter]
    lacking: list[Interpreter]
    others: list[str]

    @property
    def advice(self) -> str:
        """Why nothing fits, and the command that helps."""
        if sys.platform == "win32":
            command = "winget install Python.Python.3.13"
        elif sys.platform == "darwin":
            command = "brew install python@3.13"
        elif shutil.which("apt-get"):
            version = "{}.{}".format(*self.lacking[0].version) if self.lacking else "3"
            command = f"sudo apt-get install -y python3 python{version}-venv"
        else:
            command = "uv python install 3.13"
        tried = [f"{one.path} lacks {', '.join(one.missing)}" for one in self.lacking] + self.others
        return "\n  ".join(
            [
                "Desktop Chat needs Python {}.{} to {}.{}, complete and ready to use. Tried:".format(
                    *OLDEST, *NEWEST
                ),
                *(tried or ["nothing: no Python was found"]),
                f"\nInstall one, for example with:\n  {command}",
            ]
        )


def _on_path(names: list[str]) -> Iterator[str]:
    """Every match along PATH, because the first may be a shim that fails."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in names:
            candidate = Path(folder or ".", name)
            if candidate.is_file() and os.access(str(candidate), os.X_OK):
                yield str(candidate)


def _candidates() -> Iterator[tuple[str, ...]]:
    """Commands that may start a Python."""
    chosen = os.environ.get("DESKTOP_CHAT_PYTHON")
    if chosen:
        yield (chosen,)
        return
    home = Path.home()
    if sys.platform == "win32":
        for version in VERSIONS:
            yield ("py", "-{}.{}".format(*version))
        uv_home = Path(os.environ.get("APPDATA", str(home)), "uv", "data", "python")
        patterns = [(uv_home, "*/python.exe")]
        names = ["python.exe", "python3.exe"]
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
        patterns = [
            (Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions", "3.1[1-4]*/bin/python"),
            (Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python"), "*/bin/python3"),
            (Path("/opt/homebrew/bin"), "python3.1[1-4]"),
            (Path("/Library/Frameworks/Python.framework/Versions"), "3.1[1-4]/bin/python3"),
        ]
        names = ["python{}.{}".format(*version) for version in VERSIONS] + ["python3", "python"]
    for folder, pattern in patterns:
        if folder.is_dir():
            for path in sorted(folder.glob(pattern)):
                yield (str(path),)
    for found in _on_path(names):
        yield (found,)
    yield (sys.executable,)


def _probe(command: tuple[str, ...]) -> tuple[str, Interpreter | str]:
    """The command as shown to people, and the interpreter or why there is none."""
    shown = " ".join(command)
    try:
        done = subprocess.run(
            [*command, "-I", "-c", _PROBE.format(modules=NEEDED_MODULES)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return shown, "fails when run"
    major, minor, micro = facts["version"]
    return shown, Interpreter(
        facts["path"], (major, minor, micro), facts["final"], tuple(facts["missing"]), facts["library"]
    )


def find_interpreters(*, for_bundle: bool = False) -> Search:
    """Try everything that may be a Python; ``for_bundle`` asks for one that comes as a shared library."""
    usable = {}  # by real path: one interpreter has many names
    lacking = {}
    others = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        for shown, result in pool.map(_probe, dict.fromkeys(_candidates())):
            if isinstance(result, str):
                others.append(f"{shown}: {result}")
                continue
            if for_bundle and not result.library:
                result = result._replace(missing=(*result.missing, "libpython as a shared library"))
            if not result.supported:
                others.append(f"{shown}: {result.name}")
            elif result.missing:
                lacking[os.path.realpath(result.path)] = result
            else:
                usable[os.path.realpath(result.path)] = result
    return Search(_newest_first(usable.values()), _newest_first(lacking.values()), others)


def _newest_first(found: Iterable[Interpreter]) -> list[Interpreter]:
    return sorted(found, key=lambda one: one.version, reverse=True)
