"""The virtual environment: made once from a lock file with hashes, kept up to date, safe against interruption.

Inside each environment three files tell its state: ``desktop-chat.json``, the stamp, is written last and names what
was installed; ``desktop-chat.unfinished`` exists while a first installation runs, so that after an interruption the
next run starts anew; ``desktop-chat.system`` says that Qt was seen to load.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, Sequence

import interpreters

ROOT = Path(__file__).resolve().parent.parent
NEEDED_BYTES = 1_500_000_000
STAMP = "desktop-chat.json"
UNFINISHED = "desktop-chat.unfinished"
SYSTEM_CHECKED = "desktop-chat.system"


class SetupError(Exception):
    """Setting up cannot go on; the text says what happened and what to do."""


def say(text: str) -> None:
    print("  " + text, file=sys.stderr, flush=True)


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def wanted_stamp(lock: Path) -> dict[str, str]:
    """What a complete installation records: hashes of the lock and of the project's metadata."""
    return {
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
        "place": str(ROOT),  # a moved checkout needs its scripts and .pth file written again
    }


def read_stamp(environment: Path) -> dict[str, str]:
    try:
        found = json.loads((environment / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_complete(environment: Path, lock: Path) -> bool:
    stamp = read_stamp(environment)
    wanted = wanted_stamp(lock)
    return python_of(environment).exists() and {key: stamp.get(key) for key in wanted} == wanted


@contextlib.contextmanager
def only_one(environment: Path) -> Iterator[None]:
    """Let one process at a time set up ``environment``; others wait here and then find it done."""
    with environment.with_name(environment.name + ".lock").open("a+") as handle:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another set-up of this folder is running; waiting for it.")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield  # closing the file lets the next one in


def is_usable(environment: Path) -> bool:
    """Whether what is there can be completed, also one made by hand.

    Raises SetupError for one that works but not for this program; it is not ours to throw away.
    """
    if (environment / UNFINISHED).exists() or not python_of(environment).exists():
        return False
    done = _run([str(python_of(environment)), "-I", "-c", "import sys, pip; print(*sys.version_info[:2])"])
    try:
        major, minor = map(int, done.stdout.split())
    except ValueError:
        problem = "has no working pip"
    else:
        if interpreters.OLDEST <= (major, minor) <= interpreters.NEWEST:
            return True
        problem = f"was made with Python {major}.{minor}, which Desktop Chat does not run on"
    raise SetupError(f"{environment} {problem}.\nMove it away, then run the same command again.")


def create(environment: Path, base_python: str) -> None:
    """Make the environment with ``base_python``; without one, keep what is there."""
    if not base_python:
        return
    if environment.exists():
        say("An earlier set-up was interrupted; starting again.")
        shutil.rmtree(str(environment))
    free = shutil.disk_usage(str(ROOT)).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"There is too little space on the disk of {ROOT}: {free / 1e9:.1f} GB free, "
            f"{NEEDED_BYTES / 1e9:.1f} GB needed.\n"
            "Free some space, then run the same command again."
        )
    environment.mkdir(parents=True)
    (environment / UNFINISHED).touch()
    done = _run([base_python, "-I", "-m", "venv", str(environment)])
    if done.returncode != 0:
        raise SetupError(f"The virtual environment could not be made with {base_python}:\n{done.stdout}")


def install(environment: Path, lock: Path, *, editable: bool) -> None:
    """Install exactly what ``lock`` says, then this project, then leave the stamp."""
    pip = [
        str(python_of(environment)),
        "-I",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
    ]
    stamp = read_stamp(environment)
    wanted = wanted_stamp(lock)
    if stamp.get("lock") != wanted["lock"]:
        with contextlib.suppress(FileNotFoundError):
            (environment / STAMP).unlink()
        count = sum(not line.startswith((" ", "#")) for line in lock.read_text(encoding="utf-8").splitlines())
        say(f"Installing up to {count} pinned packages; the first time this takes a minute or two.")
        _pip(
            [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], environment / "install.log"
        )
    if editable:
        # The build backend is pinned by the lock: nothing is fetched here.
        arguments = ["--no-deps", "--no-index", "--no-build-isolation", "--editable", str(ROOT)]
        _pip([*pip, *arguments], environment / "install-project.log")
        # As an installed package is: so that the first start, too, loads compiled code.
        _run([str(python_of(environment)), "-I", "-m", "compileall", "-q", str(ROOT / "desktop_chat")])
    (environment / STAMP).write_text(json.dumps(wanted), encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):
        (environment / UNFINISHED).unlink()


def _pip(command: Sequence[str], log: Path) -> None:
    """Run pip, showing only the large downloads; its whole output goes to ``log``."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    lines: list[str] = []
    with subprocess.Popen(
        [*command, "--progress-bar", "off"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=environment,
        cwd=str(ROOT),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            size = re.search(r"Downloading .*?([\w.]+)-[\d.]+.* \(([\d.]+ MB)\)", line)
            if size and float(size.group(2).split()[0]) > 5:
                say(f"downloading {size.group(1)}, {size.group(2)}")
    log.write_text("".join(lines), encoding="utf-8")
    if process.returncode != 0:
        raise SetupError(explain_pip_failure("".join(lines)) + f"\nThe installer's own words are in {log}")


def explain_pip_failure(output: str) -> str:
    """What happened and what to do, from pip's output."""
    if "No space left on device" in output:
        return "The disk is full. Free some space, then run the same command again."
    if "DO NOT MATCH THE HASHES" in output:
        return (
            "A downloaded package is not the one that was pinned, so it was refused.\n"
            "Try again; if it happens again, the package source is not to be trusted."
        )
    if re.search(
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|Max retries|ProxyError|SSLError", output
    ):
        return (
            "The packages could not be downloaded: the package index cannot be reached.\n"
            "Check the network connection (and the proxy), then run the same command again."
        )
    if "No matching distribution found" in output:
        return "A pinned package does not exist for this system or Python version."
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    return "The packages could not be installed: " + (errors[-1] if errors else "pip failed.")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
