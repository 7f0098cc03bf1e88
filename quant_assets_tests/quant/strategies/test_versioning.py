"""What changes the hashes of a strategy, and what does not."""

import importlib
import sys
from pathlib import Path

import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import parse_yaml
from quant_assets.quant.strategies import (
    StrategyBuilder,
    checked_version,
    load_strategy,
    param_hash,
    param_yaml,
    strategy_hash,
)
from quant_assets.quant.strategies.rules import MaCrossDown, MaCrossUp

CODE = '''
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Mine(VectorStrategy):
    """Buys strength."""

    name: ClassVar[str] = "mine"
    edge: float = 0.5

    def signals(self, bars):
        return Signals(entry_long=bars.close > bars.open * (1.0 + self.edge))
'''
TEXT = """\
strategy: small
version: "1.0.0"
components:
  signals:
    entry_long:
      - rsi_oversold: {threshold: 30}
"""


@pytest.fixture
def hash_of(tmp_path, monkeypatch):
    """Hash of a strategy whose module has some text."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    count = iter(range(99))

    def of(code, **parameters):
        # another folder for each text: Python and its line cache know files by their path
        folder = tmp_path / str(next(count))
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        (folder / "mine_to_hash.py").write_text(code, encoding="utf-8")
        sys.modules.pop("mine_to_hash", None)
        importlib.invalidate_caches()
        module = importlib.import_module("mine_to_hash")
        built = StrategyBuilder().with_signals(module.Mine(**parameters)).build()
        return strategy_hash(built)

    yield of
    sys.modules.pop("mine_to_hash", None)


def test_comments_docstrings_and_layout_keep_the_hash(hash_of):
    prose = CODE.replace("Buys strength.", "Buys what rises.")
    comment = CODE.replace("    def", "    # a comment\n\n    def")
    layout = CODE.replace("(entry_long=bars.close", "(\n            entry_long=bars.close")
    assert len({hash_of(text) for text in (CODE, prose, comment, layout)}) == 1


@pytest.mark.parametrize(
    ("old", "new"), [(">", ">="), ("1.0 +", "1.0 -"), ("edge: float = 0.5", "edge: float = 0.6")]
)
def test_changed_logic_flips_the_hash(hash_of, old, new):
    assert hash_of(CODE) != hash_of(CODE.replace(old, new))


def test_changed_parameter_flips_both_hashes_and_equal_ones_keep_them():
    def crossing(**parameters):
        up, down = MaCrossUp(**parameters), MaCrossDown(**parameters)
        return StrategyBuilder("x").with_signals(entry_long=up, exit_long=down).build()

    one, same, other = crossing(), crossing(fast=20), crossing(fast=21)
    for hash_of in (param_hash, strategy_hash):
        assert hash_of(one) == hash_of(same) != hash_of(other)
    assert len(strategy_hash(one)) == len(param_hash(one)) == 64


def test_name_and_version_are_no_parameters():
    one = StrategyBuilder("x", "1.0.0").with_signals(entry_long=MaCrossUp()).build()
    two = StrategyBuilder("y", "2.0.0").with_signals(entry_long=MaCrossUp()).build()
    assert param_hash(one) == param_hash(two)
    assert strategy_hash(one) == strategy_hash(two)


def test_layout_of_a_file_keeps_the_hash_and_its_values_flip_it():
    plain = load_strategy(TEXT)
    layout = load_strategy(
        TEXT.replace("version", "# a comment\nversion").replace(
            "- rsi_oversold: {threshold: 30}", "-\n        rsi_oversold:\n          threshold: 30"
        )
    )
    assert plain.strategy_hash == layout.strategy_hash
    assert plain.param_hash == layout.param_hash
    assert load_strategy(TEXT.replace("30", "30.0")).strategy_hash == plain.strategy_hash
    spelled = load_strategy(TEXT + "backtest: {initial_capital: 100000.0}\n")  # the default
    assert spelled.strategy_hash == plain.strategy_hash
    other = load_strategy(TEXT.replace("30", "31"))
    assert other.strategy_hash != plain.strategy_hash
    assert other.param_hash != plain.param_hash
    capital = load_strategy(TEXT + "backtest: {initial_capital: 5000}\n")
    assert capital.strategy_hash != plain.strategy_hash
    assert capital.param_hash == plain.param_hash


def test_parameters_as_yaml_read_back_to_equal_values():
    loaded = load_strategy(TEXT)
    back = parse_yaml(loaded.param_yaml, Path("back")).data
    source = back["middlewares"][0]["source"]
    assert source["entry_long"] == {"period": 14, "threshold": 30.0, "type": "rsi_oversold"}
    assert param_yaml(loaded.strategy) == loaded.param_yaml == load_strategy(TEXT).param_yaml


@pytest.mark.parametrize("version", ["1.0.0", "0.10.3-alpha.1", "2.1.0+build.5"])
def test_semantic_version_is_taken(version):
    assert checked_version(version) == version


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "01.0.0", "1.0.0-", "", 1.0, None])
def test_other_version_is_refused(version):
    with pytest.raises(ConfigError, match="is not semantic"):
        checked_version(version)


def test_class_without_source_is_refused():
    space = {}
    exec(CODE, space)  # noqa: S102 - a class that no file has
    space["Mine"].__module__ = "nowhere"
    with pytest.raises(ConfigError, match="no source that can be read"):
        strategy_hash(space["Mine"]())
