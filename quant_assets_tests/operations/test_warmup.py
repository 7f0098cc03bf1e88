import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from quant_assets import quant
from quant_assets.cli.main import cli
from quant_assets.operations.warmup import modules_to_warm, rooms

pytestmark = pytest.mark.slow

ROOT = Path(quant.__path__[0])
DECORATED = re.compile(r"^@(njit|compiled|inlined|uncounted|reordered|reassociated)", re.MULTILINE)


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
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join((quant.__name__, *(part for part in parts if part != "__init__")))


SOURCES = {_module(file): file.read_text(encoding="utf-8") for file in ROOT.rglob("*.py")}
IMPORTS = {name: set(_imported(ast.parse(source))) for name, source in SOURCES.items()}
KERNELS = {name for name, text in SOURCES.items() if "kernel" in name or DECORATED.search(text)}


def _reached(modules):
    """The modules, and the kernels that they call, directly or through other kernels."""
    seen, pending = set(), list(modules)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += IMPORTS[name] & KERNELS
    return seen


def test_every_module_with_kernels_is_warmed_by_itself_or_by_one_that_imports_it():
    warmed = modules_to_warm()
    aids = set().union(*(IMPORTS[module] for module in warmed))
    compiled = {module for module, names in IMPORTS.items() if "numba" in names}
    assert compiled - _reached(warmed) - aids == set()


def test_rooms_share_no_kernel():
    """Two processes that keep the same kernel at the same time would mix up its files."""
    assert sorted(module for room in rooms() for module in room) == modules_to_warm()
    found = [_reached(room) & KERNELS for room in rooms()]
    assert len(found) > 5
    for number, room in enumerate(found):
        for other in found[:number]:
            assert room & other == set()


@pytest.mark.slow
def test_warmup_compiles_nothing_the_second_time():
    CliRunner().invoke(cli, ["warmup"], catch_exceptions=False)
    # another process: what this one compiled is in its memory anyway
    command = [sys.executable, "-m", "quant_assets.cli.main", "warmup"]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.strip().startswith("0 kernels compiled")
