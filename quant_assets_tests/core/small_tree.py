"""A copy of `quant_assets` with nothing but digests, registry and a plug-in folder to play with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from quant_assets.core import errors, hashing, lazy, redaction, registry, syntax

BASE = """
from abc import ABC, abstractmethod
from typing import ClassVar


class Thing(ABC):
    name: ClassVar[str]

    @abstractmethod
    def value(self) -> int: ...
"""
PLUGIN = """
from quant_assets.quant.things.base import Thing


class {cls}(Thing):
    name = {name!r}

    def value(self):
        return {value}
"""


class SmallTree:
    """Files below `root`, and scripts that see them as the package `quant_assets`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("core", "quant/things"):
            (root / "quant_assets" / folder).mkdir(parents=True)
        for folder in ("", "core", "quant", "quant/things"):
            (root / "quant_assets" / folder / "__init__.py").write_text('"""Small."""\n')
        for module in (errors, hashing, lazy, redaction, registry, syntax):
            shutil.copy(module.__file__, root / "quant_assets" / "core")
        self.things = root / "quant_assets" / "quant" / "things"
        self.write("base.py", BASE)

    def write(self, name: str, source: str) -> Path:
        """Write a module of the plug-in folder."""
        path = self.things / name
        path.write_text(source, encoding="utf-8")
        return path

    def plugin(self, name: str, *, value: int = 1, cls: str = "One") -> Path:
        """Write a plug-in file that is named after its plug-in."""
        return self.write(f"{name}.py", PLUGIN.format(cls=cls, name=name, value=value))

    def distribution(self, module: str, source: str) -> None:
        """Install another package that offers `module` as a plug-in of things."""
        (self.root / f"{module}.py").write_text(source, encoding="utf-8")
        info = self.root / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[quant_assets.things]\n{module} = {module}\n")

    def run(self, script: str) -> str:
        """What `script` prints, in a fresh process."""
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
