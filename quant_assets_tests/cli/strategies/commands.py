"""`quant-assets strategy …` inside this process, in a folder with bars and a strategy."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from quant_assets.cli.main import cli
from quant_assets_tests.cli.strategies.files import write_bars, write_idea


def work_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *, n: int = 300) -> Path:
    """Go to a folder, with bars of `n` days and a strategy in it; the data root is inside."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(folder / "data"))
    write_bars(folder, n=n)
    write_idea(folder)
    return folder


def run(*words: str) -> Result:
    """One command, to its end."""
    return CliRunner().invoke(cli, ["strategy", *words], catch_exceptions=False)


def answer(*words: str, code: int = 0) -> dict:
    """What a command that ends with `code` answers as JSON."""
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)
