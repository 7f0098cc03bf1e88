"""One small demo for all documentation tests of a session, whichever process asks first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

WINDOWS = "3"


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Data root of a three-window demo. Tests may add cells, but must not damage any."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    root, done = shared / "docs-demo" / "data", shared / "docs-demo" / "done"
    with FileLock(shared / "docs-demo.lock"):
        if not done.exists():
            root.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "quant_assets.cli.main", "demo", "--windows", WINDOWS]
            environment = environment_of(root)
            subprocess.run(command, env=environment, cwd=root.parent, check=True, timeout=240)
            done.touch()
    return root


def environment_of(root: Path) -> dict[str, str]:
    """The environment of a user whose data lie in `root`."""
    # No pictures: nobody opens the UI of this demo, and they are a fifth of a run.
    brief = {"QUANT_ASSETS_DETAIL": "brief", "MPLBACKEND": "Agg"}
    environment = {**os.environ, "QUANT_ASSETS_DATA_ROOT": str(root), **brief}
    environment.pop("DAGSTER_HOME", None)
    return environment
