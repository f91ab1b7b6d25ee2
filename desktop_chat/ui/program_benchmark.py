"""The whole program on one processor while it shows an answer from a server in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from desktop_chat.domain.measurements import Measurement
from desktop_chat.ui.measured_run import RunFigures


class _Load(NamedTuple):
    tokens: int
    rate: int
    most_cpu_s: float


_LOADS: Final = (_Load(2_000, 100, 1.5), _Load(8_000, 500, 1.5), _Load(32_000, 2_000, 2.7))
_PASSES: Final = 2


def measure() -> list[Measurement]:
    """Nothing where the program is frozen: there is no interpreter that could run its parts on their own."""
    if getattr(sys, "frozen", False):
        return []
    found: list[Measurement] = []
    for load in _LOADS:
        found += _figures(load, [_run(load) for _ in range(_PASSES)])
    return found


def _run(load: _Load) -> tuple[RunFigures, float]:
    """One run: its figures, and when the server's last byte left."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    server = [sys.executable, "-m", "desktop_chat.demo.paced", str(load.tokens), str(load.rate)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
            program = [sys.executable, "-m", "desktop_chat.ui.measured_run", url]
            output = subprocess.run(program, stdout=subprocess.PIPE, env=environment, check=True).stdout
            sent = float(process.stdout.readline().split()[1])
        finally:
            process.kill()
    return msgspec.json.decode(output, type=RunFigures), sent


def _figures(load: _Load, runs: list[tuple[RunFigures, float]]) -> list[Measurement]:
    """The best of each figure over the passes: what else the machine did is not the program's."""
    name = f"{load.tokens:,} tokens at {load.rate:,} a second"
    memory = [figures.memory_mb for figures, _ in runs if figures.memory_mb is not None]
    found = [
        Measurement(
            what=f"CPU, {name}",
            value=min(figures.cpu_s for figures, _ in runs),
            unit="s",
            target=f"at most {load.most_cpu_s} s",
        ),
        Measurement(
            what=f"frames a second, {name}",
            value=max(_rate(_while_sent(figures, sent)) for figures, sent in runs),
            unit="/s",
            target="at least 58",
        ),
        Measurement(
            what=f"longest gap between frames, {name}",
            value=min(_longest_gap(_while_sent(figures, sent)) for figures, sent in runs) * 1000,
            unit="ms",
            target="at most 50 ms",
        ),
        Measurement(
            what=f"last byte to final picture, {name}",
            value=min(figures.paints[-1] - sent for figures, sent in runs) * 1000,
            unit="ms",
            target="at most 30 ms",
        ),
    ]
    if memory:
        found.append(
            Measurement(what=f"memory (PSS), {name}", value=min(memory), unit="MB", target="at most 110 MB")
        )
    return found


def _while_sent(figures: RunFigures, sent: float) -> list[float]:
    return [at for at in figures.paints if at <= sent]


def _rate(paints: list[float]) -> float:
    return (len(paints) - 1) / (paints[-1] - paints[0])


def _longest_gap(paints: list[float]) -> float:
    return max(after - before for before, after in pairwise(paints))
