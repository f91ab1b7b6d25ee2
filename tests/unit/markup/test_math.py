"""Formulas in their worker process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from desktop_chat.markup.math import MathRenderer, is_renderable

WAIT_S = 60


@pytest.fixture
def renderer() -> Iterator[MathRenderer]:
    made = MathRenderer()
    yield made
    made.close()


def test_a_formula_becomes_a_picture(renderer: MathRenderer) -> None:
    image = renderer.render(r"\frac{a}{b}", 16, "#336699").result(WAIT_S)
    assert image is not None
    assert image.svg.startswith(b"<svg")
    assert b"#336699" in image.svg
    assert b"<use" not in image.svg
    assert image.height > image.baseline > 0
    assert renderer.cached(r"\frac{a}{b}", 16, "#336699") is image


@pytest.mark.parametrize("tex", ["", "{" * 9 + "x" + "}" * 9, "x" * 2000, r"\left(" * 9])
def test_beyond_the_caps_there_is_no_picture(renderer: MathRenderer, tex: str) -> None:
    assert not is_renderable(tex)
    assert renderer.render(tex, 16).result(WAIT_S) is None


def test_what_ziamath_cannot_draw_has_no_picture_and_harms_nothing(renderer: MathRenderer) -> None:
    assert renderer.render(r"\frac{", 16).result(WAIT_S) is None
    assert renderer.render("x", 16).result(WAIT_S) is not None


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot halt a process")
def test_a_formula_that_takes_too_long_ends_the_worker_and_the_next_one_works(renderer: MathRenderer) -> None:
    assert renderer.render("warm", 16).result(WAIT_S) is not None
    (worker,) = (child for child in multiprocessing.active_children() if child.name == "math")
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    assert renderer.render("y^2", 16).result(WAIT_S) is None
    assert not worker.is_alive()
    assert renderer.render("z^2", 16).result(WAIT_S) is not None


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, desktop_chat.markup as m;"
        "print([n for n in ('markdown', 'markdown_it', 'pygments', 'ziamath') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
