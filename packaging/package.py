"""Make the standalone program in ``dist/desktop-chat`` and prove that it works; part of ``make package``."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from platform_icons import write_icons
from virtual_screen import virtual_screen

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "dist" / "desktop-chat"
PROGRAM = FOLDER / ("desktop-chat.exe" if sys.platform == "win32" else "desktop-chat")


def build() -> None:
    """Icons, then PyInstaller; its many lines go to ``build/pyinstaller.log``."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    application = QGuiApplication([])
    write_icons(ROOT / "resources" / "icons" / "desktop-chat.svg", ROOT / "build" / "icons")
    application.shutdown()

    log = ROOT / "build" / "pyinstaller.log"
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build" / "pyinstaller")]
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.call(
            [*command, str(ROOT / "packaging" / "desktop-chat.spec")],
            stdout=output,
            stderr=output,
            cwd=str(ROOT),
        )
    if status != 0:
        sys.exit(f"PyInstaller failed; its own words are in {log}")


def self_test(environment: dict[str, str]) -> bool:
    """Run the program away from the checkout, without this Python's settings."""
    clean = {
        key: value for key, value in environment.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [str(PROGRAM), "--data-dir", str(Path(elsewhere, "data")), "--self-test"]
        return subprocess.call(command, env=clean, cwd=elsewhere, stdin=subprocess.DEVNULL) == 0


def start_seconds(*arguments: str) -> tuple[float, float]:
    """The first and the best of five starts."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.check_call([str(PROGRAM), *arguments], stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return times[0], min(times)


def main() -> int:
    began = time.monotonic()
    build()
    print(f"built {FOLDER.relative_to(ROOT)} in {time.monotonic() - began:.0f} s", flush=True)

    results = {}
    print("self-test, off screen:", flush=True)
    results["off screen"] = self_test(dict(os.environ, QT_QPA_PLATFORM="offscreen"))
    if sys.platform.startswith("linux"):
        with contextlib.suppress(FileNotFoundError), virtual_screen() as environment:
            print("self-test, on a virtual X11 screen:", flush=True)
            results["X11"] = self_test(environment)
        if "X11" not in results:
            print("self-test on X11 left out: Xvfb is not installed")

    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink())
    first, best = start_seconds("--version")
    print(f"size {size / 1e6:.0f} MB; `--version` in {first:.2f} s, warm {best:.2f} s")
    failed = [name for name, passed in results.items() if not passed]
    print(
        f"package: {'self-test failed ' + ', '.join(failed) if failed else 'self-tests passed, ' + str(PROGRAM)}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
