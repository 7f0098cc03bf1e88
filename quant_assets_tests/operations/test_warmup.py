import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from quant_assets import quant
from quant_assets.cli.main import cli
from quant_assets.operations.warmup import modules_to_warm

pytestmark = pytest.mark.slow

ROOT = Path(quant.__path__[0])


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Deferred":
            yield ast.literal_eval(node.args[0])


def _module(file):
    return ".".join((quant.__name__, *file.relative_to(ROOT).with_suffix("").parts))


def test_every_module_with_kernels_is_warmed_by_itself_or_by_one_that_imports_it():
    imports = {
        _module(file): set(_imported(ast.parse(file.read_text(encoding="utf-8"))))
        for file in ROOT.rglob("*.py")
    }
    warmed = modules_to_warm()
    reached = set(warmed).union(*(imports[module] for module in warmed))
    compiled = {module for module, names in imports.items() if "numba" in names}
    assert compiled - reached == set()


@pytest.mark.slow
def test_warmup_compiles_nothing_the_second_time():
    CliRunner().invoke(cli, ["warmup"], catch_exceptions=False)
    # another process: what this one compiled is in its memory anyway
    command = [sys.executable, "-m", "quant_assets.cli.main", "warmup"]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.strip().startswith("0 kernels compiled")
