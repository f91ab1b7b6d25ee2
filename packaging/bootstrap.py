"""Set up what is lacking, then run, test, check or package Desktop Chat.

    python3 packaging/bootstrap.py {setup,run,test,lint,bench,package,lock} [ARGUMENTS...]

Uses the standard library only and starts on any Python from 3.8, on Linux, macOS and Windows: it finds a suitable
Python, makes ``.venv`` from the lock file, sees that Qt's system libraries are there, and goes on inside. When all
is in place that costs some hundredths of a second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, NoReturn, Sequence

import environment
from environment import ROOT, SetupError, python_of, say

DEVELOPMENT_LOCK = ROOT / "packaging" / "requirements-dev.lock"
PACKAGE_LOCK = ROOT / "packaging" / "requirements-package.lock"
ENVIRONMENT = ROOT / ".venv"
PACKAGE_ENVIRONMENT = ROOT / ".venv-package"
LOCK_ENVIRONMENT = ROOT / ".venv-lock"
SCREENSHOT = ROOT / "screenshots" / "desktop-chat.png"
OFFSCREEN_PROMPT = "Show me what you can do"
APT_LOG = ROOT / "build" / "apt.log"


# --- setting up -----------------------------------------------------------------------------------------


def set_up(
    place: Path = ENVIRONMENT,
    lock: Path = DEVELOPMENT_LOCK,
    tools: Sequence[str] = (),
    *,
    for_bundle: bool = False,
) -> Path:
    """Make ``place`` complete and return its Python.

    Args:
        tools: programs of the system that the job uses beside Qt's libraries.
        for_bundle: the environment is what a standalone bundle is made from.
    """
    if not environment.is_complete(place, lock):
        with environment.only_one(place):
            if not environment.is_complete(place, lock):
                started = time.monotonic()
                _install(place, lock, for_bundle=for_bundle)
                say(f"{place.name} is ready after {time.monotonic() - started:.0f} s.")
    checked = place / environment.SYSTEM_CHECKED
    lacking = not checked.exists() or any(shutil.which(tool) is None for tool in tools)
    if lacking and check_system(python_of(place), tools):
        checked.touch()
    return python_of(place)


def _install(place: Path, lock: Path, *, for_bundle: bool) -> None:
    base = "" if environment.is_usable(place) else choose_python(for_bundle=for_bundle)
    environment.create(place, base)
    environment.install(place, lock, editable=not for_bundle)


def choose_python(*, for_bundle: bool = False) -> str:
    """The path of the newest good interpreter; as root with apt, the system's own is completed if need be."""
    import interpreters
    import system_libraries

    search = interpreters.find_interpreters(for_bundle=for_bundle)
    if not search.usable and system_libraries.may_install():
        packages = ["python3", "python3-venv"]
        packages += [f"python{one.version[0]}.{one.version[1]}-venv" for one in search.lacking[:1]]
        say(f"Installing {' '.join(packages)} ...")
        system_libraries.apt_install(packages, APT_LOG)
        search = interpreters.find_interpreters(for_bundle=for_bundle)
    if not search.usable:
        raise SetupError(search.advice)
    say(f"{search.usable[0].name} ({search.usable[0].path})")
    return search.usable[0].path


def check_system(python: Path, tools: Sequence[str] = ()) -> bool:
    """See that Qt loads; install what it lacks, or say the one command that does.

    True when Qt lacks nothing. Raises SetupError when it cannot even work off screen.
    """
    import system_libraries

    findings = system_libraries.check(python, tools)
    if findings.complete:
        return True
    if system_libraries.may_install():
        say(f"Installing what this system lacks ({findings.sentence}) ...")
        system_libraries.apt_install(findings, APT_LOG)
        findings = system_libraries.check(python, tools)
        if findings.complete:
            return True
        say(f"Some of it could not be installed; apt's own words are in {APT_LOG}")
    command = system_libraries.install_command(findings)
    advice = f"This system lacks {findings.sentence}.\n" + (
        f"Install it with:\n  {command}"
        if command
        else "Install Qt 6's libraries for X11 and a font with your system's package manager."
    )
    if findings.widgets:
        raise SetupError(advice)
    say(advice)  # an off-screen run and most tests work all the same
    return not (findings.screen or findings.fonts)


# --- what can be asked for ------------------------------------------------------------------------------


def display_available() -> bool:
    """Whether a window can be shown. A DISPLAY that nobody serves counts as none."""
    if not sys.platform.startswith("linux") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    host, _, number = os.environ.get("DISPLAY", "").partition(":")
    number = number.split(".")[0]
    if not number:
        return False
    if host not in ("", "unix"):
        return True  # forwarded from another machine: only trying tells
    for address in ("/tmp/.X11-unix/X" + number, "\0/tmp/.X11-unix/X" + number):  # noqa: S108 - X11's own place
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(address) == 0:
                return True
    return False


def become(command: Sequence[str], **variables: str) -> NoReturn:
    """Go on as ``command``: nothing of this process stays, and signals and exit status are the command's own."""
    os.environ.update(variables)
    os.chdir(str(ROOT))
    sys.stderr.flush()
    if sys.platform == "win32":
        sys.exit(subprocess.call(list(command)))
    os.execv(command[0], list(command))


def setup(_: list[str]) -> int:
    python = set_up(tools=("Xvfb", "xdotool"))
    check_system(python, ("Xvfb", "xdotool"))
    say("Ready. Start the program with: make run")
    return 0


def run(arguments: list[str]) -> int:
    program = [str(set_up()), "-m", "desktop_chat"]
    if arguments or os.environ.get("QT_QPA_PLATFORM") or display_available():
        become([*program, *arguments])
    say("No display found: running off screen, with the demo server and a picture instead of a window.")
    SCREENSHOT.parent.mkdir(exist_ok=True)
    offscreen = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    with tempfile.TemporaryDirectory() as data:
        job = ["--data-dir", data, "--send", OFFSCREEN_PROMPT, "--screenshot", str(SCREENSHOT), "--exit"]
        status = subprocess.call([*program, *job], env=offscreen, cwd=str(ROOT))
    if status == 0:
        say(f"The window as it was painted: {SCREENSHOT}")
    return status


def test(arguments: list[str]) -> int:
    python = set_up(tools=("Xvfb", "xdotool"))
    # The whole suite by a process for each processor; what was asked for in particular in this one, for a debugger.
    become([str(python), "-m", "pytest", *(arguments or ["--numprocesses=auto", "--dist=worksteal"])])


def lint(arguments: list[str]) -> int:
    python = set_up()
    scripts = python.parent
    checks = {
        "ruff check": [str(scripts / "ruff"), "check", "."],
        "ruff format": [str(scripts / "ruff"), "format", "--check", "."],
        "mypy": [str(scripts / "mypy")],
        "import-linter": [str(scripts / "lint-imports"), "--no-logo"],
        "source rules": [str(python), "packaging/check_source.py"],
    }
    failed = []
    for name, command in checks.items():
        print("== " + name, flush=True)
        if subprocess.call([*command, *arguments], cwd=str(ROOT)) != 0:
            failed.append(name)
    print("lint: {}".format("failed: " + ", ".join(failed) if failed else f"all {len(checks)} checks passed"))
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    python = set_up()
    platform = {} if display_available() else {"QT_QPA_PLATFORM": "offscreen"}
    become([str(python), "-m", "desktop_chat", "bench", *arguments], **platform)


def package(arguments: list[str]) -> int:
    tools = ("objdump", "Xvfb") if sys.platform.startswith("linux") else ()
    python = set_up(PACKAGE_ENVIRONMENT, PACKAGE_LOCK, tools, for_bundle=True)
    become([str(python), str(ROOT / "packaging" / "package.py"), *arguments])


def lock(arguments: list[str]) -> int:
    """Renew the lock files; with ``--upgrade`` to the newest versions that pyproject.toml allows."""
    uv = shutil.which("uv")
    if uv is None:
        python = python_of(LOCK_ENVIRONMENT)
        if not python.exists():
            subprocess.check_call([choose_python(), "-m", "venv", str(LOCK_ENVIRONMENT)])
        subprocess.check_call([str(python), "-m", "pip", "install", "--quiet", "uv"])
        uv = str(python.with_name("uv"))
    # The recorded command would name this machine's settings; the header says what to run instead.
    header = "# Made by `make lock` from pyproject.toml; do not edit.\n"
    compile_ = [
        uv,
        "pip",
        "compile",
        "pyproject.toml",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
    ]
    compile_ += [
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--no-header",
        "--quiet",
        *arguments,
    ]
    runtime = "packaging/requirements.lock"
    for name, extras in (
        (runtime, []),
        (str(PACKAGE_LOCK.relative_to(ROOT)), ["--extra", "package"]),
        (str(DEVELOPMENT_LOCK.relative_to(ROOT)), ["--extra", "dev", "--extra", "package"]),
    ):
        same_versions = [] if name == runtime else ["--constraint", runtime]
        subprocess.check_call([*compile_, *extras, *same_versions, "--output-file", name], cwd=str(ROOT))
        path = ROOT / name
        path.write_text(header + path.read_text(encoding="utf-8"), encoding="utf-8")
        say("wrote " + name)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "setup": setup,
    "run": run,
    "test": test,
    "lint": lint,
    "bench": bench,
    "package": package,
    "lock": lock,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up Desktop Chat and work on it.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the program or tool")
    parsed = parser.parse_args()
    try:
        return COMMANDS[parsed.command](parsed.arguments)
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
    except subprocess.CalledProcessError as problem:
        print(f"\n{problem.cmd[0]} failed with status {problem.returncode}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped; the next run goes on from here.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
