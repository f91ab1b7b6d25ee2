"""A computer with a single typeface installed: the window still opens, answers and can be read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desktop_chat import resources

pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="fonts are chosen with fontconfig"
)


def test_the_window_works_with_a_single_system_font(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    shutil.copy(resources.resource("fonts/JetBrainsMono-Regular.ttf"), fonts)
    configuration = tmp_path / "fonts.conf"
    configuration.write_text(
        f"<fontconfig><dir>{fonts}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>"
    )
    picture = tmp_path / "window.png"
    environment = os.environ | {"FONTCONFIG_FILE": str(configuration), "QT_QPA_PLATFORM": "offscreen"}
    window = ["--send", "hello", "--screenshot", str(picture), "--exit"]
    done = subprocess.run(
        [sys.executable, "-m", "desktop_chat", "--data-dir", str(tmp_path / "data"), *window],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 10_000
