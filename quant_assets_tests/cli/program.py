"""Runs `quant-assets` as a user does: another process, its own data root."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 240


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """Parsed standard output."""
        return json.loads(self.stdout)


def quant_assets(root: Path, *arguments: str, **environment: str) -> Outcome:
    """Run one command on the data root `root`, in the folder that holds it."""
    return python(root, "-m", "quant_assets.cli.main", *arguments, **environment)


def python(root: Path, *arguments: str, **environment: str) -> Outcome:
    """Run the interpreter on the data root `root`, in the folder that holds it."""
    # No pictures where nobody opens the UI: they are a fifth of a run over short windows.
    brief = {"QUANT_ASSETS_DATA_ROOT": str(root), "QUANT_ASSETS_DETAIL": "brief"}
    env = {**os.environ, **brief, **environment}
    env.pop("DAGSTER_HOME", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        env=env,
        cwd=root.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
