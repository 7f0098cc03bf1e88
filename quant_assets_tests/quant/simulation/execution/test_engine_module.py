"""The engine coordinates: what it steers are arrays, and frames are made elsewhere."""

import ast
from pathlib import Path

from quant_assets.quant.simulation import execution


def test_engine_imports_neither_pandas_nor_dagster():
    source = Path(execution.__file__).with_name("engine.py").read_text(encoding="utf-8")
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    assert {"numpy", "quant_assets.quant.simulation.execution.book"} <= names
    assert not {name.partition(".")[0] for name in names} & {"pandas", "dagster", "pandera"}
