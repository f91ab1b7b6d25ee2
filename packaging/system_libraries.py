"""The libraries of the system that Qt needs on Linux: found missing by loading Qt, installed where that is allowed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Sequence

# What a bare system lacks, by package manager. Names joined by "|" are the same library in different releases.
PACKAGES: dict[str, tuple[str, ...]] = {
    "apt-get": (
        "libgl1", "libegl1", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1",
        "libxcb-image0", "libxcb-render-util0", "libxcb-shape0", "libxcb-xkb1", "libfontconfig1", "libdbus-1-3",
        "libglib2.0-0t64|libglib2.0-0", "libgssapi-krb5-2", "libx11-xcb1",
    ),
    "dnf": (
        "mesa-libGL", "mesa-libEGL", "libxkbcommon-x11", "xcb-util-cursor", "xcb-util-wm", "xcb-util-keysyms",
        "xcb-util-image", "xcb-util-renderutil", "libxcb", "fontconfig", "dbus-libs", "glib2", "krb5-libs",
        "libX11-xcb",
    ),
    "pacman": (
        "libglvnd", "libxkbcommon-x11", "xcb-util-cursor", "xcb-util-wm", "xcb-util-keysyms", "xcb-util-image",
        "xcb-util-renderutil", "fontconfig", "dbus", "glib2", "krb5", "libx11",
    ),
    "zypper": (
        "libglvnd", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-image0",
        "libxcb-render-util0", "libxcb-shape0", "libxcb-xkb1", "fontconfig", "libdbus-1-3", "libglib-2_0-0",
        "krb5", "libX11-xcb1",
    ),
}  # fmt: skip
FONTS = {
    "apt-get": "fonts-dejavu-core",
    "dnf": "dejavu-sans-fonts",
    "pacman": "ttf-dejavu",
    "zypper": "dejavu-fonts",
}
TOOLS: dict[str, dict[str, str]] = {
    "Xvfb": {
        "apt-get": "xvfb",
        "dnf": "xorg-x11-server-Xvfb",
        "pacman": "xorg-server-xvfb",
        "zypper": "xorg-x11-server-Xvfb",
    },
    "xdotool": {"apt-get": "xdotool", "dnf": "xdotool", "pacman": "xdotool", "zypper": "xdotool"},
    "objdump": {"apt-get": "binutils", "dnf": "binutils", "pacman": "binutils", "zypper": "binutils"},
}  # fmt: skip
INSTALL = {
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends"],
    "dnf": ["dnf", "install", "-y"],
    "pacman": ["pacman", "-S", "--needed", "--noconfirm"],
    "zypper": ["zypper", "--non-interactive", "install"],
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")

# Loading is the proof; `ldd` then names all that is missing, where the loader names only the first.
_LOAD_QT = """
import ctypes, json, pathlib, subprocess, PySide6
plugin = pathlib.Path(PySide6.__path__[0], "Qt", "plugins", "platforms", "libqxcb.so")
found = {"widgets": "", "screen": "", "missing": []}
try:
    import PySide6.QtWidgets, PySide6.QtSvg, PySide6.QtNetwork, PySide6.QtPrintSupport
except ImportError as problem:
    found["widgets"] = str(problem)
try:
    ctypes.CDLL(str(plugin))
except OSError as problem:
    found["screen"] = str(problem)
if found["widgets"] or found["screen"]:
    files = [str(plugin), *map(str, pathlib.Path(PySide6.__path__[0]).glob("Qt[WSNP]*.abi3.so"))]
    try:
        listing = subprocess.run(["ldd", *files], capture_output=True, text=True).stdout
    except OSError:
        listing = ""
    found["missing"] = sorted({line.split()[0] for line in listing.splitlines() if line.endswith("not found")})
print(json.dumps(found))
"""


class Findings(NamedTuple):
    """What is missing.

    Attributes:
        widgets: why no Qt window can be made at all; empty when it can.
        screen: why none can be shown on an X11 screen (an off-screen run still works).
        libraries: sonames, for people.
        fonts: whether the system has no font at all.
        tools: programs that only tests and packaging use.
    """

    widgets: str
    screen: str
    libraries: tuple[str, ...]
    fonts: bool
    tools: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not (self.widgets or self.screen or self.fonts or self.tools)

    @property
    def sentence(self) -> str:
        parts = []
        if self.widgets or self.screen:
            parts.append(", ".join(self.libraries) or self.widgets or self.screen)
        parts += ["fonts"] if self.fonts else []
        return "; ".join(parts + list(self.tools))


def check(python: Path, tools: Sequence[str] = ()) -> Findings:
    """Load Qt in a child process of the environment's ``python``; look for fonts and ``tools``."""
    if not sys.platform.startswith("linux"):
        return Findings("", "", (), False, ())
    done = subprocess.run(
        [str(python), "-c", _LOAD_QT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip() or f"Qt ends the process with status {done.returncode}").splitlines()[-1]
        found = {"widgets": last, "screen": last, "missing": []}
    return Findings(
        found["widgets"],
        found["screen"],
        tuple(found["missing"]),
        not _has_fonts(),
        tuple(tool for tool in tools if shutil.which(tool) is None),
    )


def _has_fonts() -> bool:
    for folder in FONT_FOLDERS:
        for _, _, names in os.walk(os.path.expanduser(folder)):  # noqa: PTH111 - os.walk stops early
            if any(name.lower().endswith((".ttf", ".otf", ".ttc", ".pfb")) for name in names):
                return True
    return False


def package_manager() -> str | None:
    return next((name for name in INSTALL if shutil.which(name)), None)


def _packages(manager: str, findings: Findings) -> list[str]:
    wanted = list(PACKAGES[manager]) if findings.widgets or findings.screen else []
    wanted += [FONTS[manager]] if findings.fonts else []
    wanted += [TOOLS[tool][manager] for tool in findings.tools]
    return [_available(manager, names.split("|")) for names in wanted]


def _available(manager: str, names: Sequence[str]) -> str:
    """The first of ``names`` that this release of the system knows."""
    for name in names[:-1]:
        query = subprocess.run(
            ["apt-cache", "show", "--no-all-versions", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if manager == "apt-get" and query.returncode == 0:
            return name
    return names[-1]


def install_command(findings: Findings) -> str | None:
    """The one command a person has to run, or ``None`` on a system whose package manager is not known."""
    manager = package_manager()
    if manager is None:
        return None
    command = " ".join(INSTALL[manager] + _packages(manager, findings))
    if os.geteuid() == 0:
        return command
    return f"sudo {command}" if shutil.which("sudo") else f'su -c "{command}"'


def may_install() -> bool:
    """Whether packages may be installed without asking: as root, and only with apt."""
    return sys.platform.startswith("linux") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str] | Findings, log: Path) -> bool:
    """Install with apt, quietly; its output goes to ``log``. Says whether that worked."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", NEEDRESTART_MODE="a")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:

        def run(command: list[str]) -> bool:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, check=False
            )
            return done.returncode == 0

        # A failed update is not the end: the lists may be good enough.
        run(["apt-get", "update", "-q"])
        names = _packages("apt-get", packages) if isinstance(packages, Findings) else list(packages)
        return run([*INSTALL["apt-get"], "-q", *names])
