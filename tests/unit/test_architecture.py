"""What import-linter cannot see: that the layers below the window really run without Qt."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_QT = """
import importlib, pkgutil, sys

class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"PySide6", "shiboken6", "qasync"}}:
            raise ImportError(f"{{name}} is not for this layer")

sys.meta_path.insert(0, NoQt())
package = importlib.import_module("desktop_chat.{layer}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize("layer", ["domain", "api", "markup", "storage", "demo", "chat", "cli"])
def test_every_module_of_the_layer_loads_without_qt(layer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT.format(layer=layer)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
