"""Strategies by name: found in their folders, made of parameters, refused with what there is."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import (
    LIBRARY,
    find_strategy,
    library,
    library_strategies,
    make_strategy,
)
from quant_assets.quant.strategies.classic import MovingAverageCross
from quant_assets.quant.strategies.versioning import checked_version, param_hash
from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

FOREIGN = """
from dataclasses import dataclass
from typing import ClassVar
from quant_assets.quant.strategies.library_parts import RowStrategy
from quant_assets.quant.strategies.signals import Signals

@dataclass(frozen=True, kw_only=True)
class Foreign(RowStrategy):
    name: ClassVar[str] = "foreign"
    source: ClassVar[str] = "elsewhere"

    def decide(self, rows):
        return Signals(entry_long=rows["close"] > 0.0)
"""
PROGRAM = """
import json
from quant_assets.quant.strategies import library_strategies, load_strategy, make_strategy
made = make_strategy("foreign")
text = "strategy: own\\nversion: '1.0.0'\\ncomponents: {signals: {strategy: foreign}}\\n"
found = [type(made).__module__, "foreign" in library_strategies("modern")]
print(json.dumps([*found, load_strategy(text).strategy.warm_up]))
"""


def test_library_has_the_strategies_of_its_folders():
    folders = {folder: library_strategies(folder) for folder in LIBRARY}
    assert all(folders.values())
    assert len(library_strategies()) == sum(map(len, folders.values())) >= 20
    assert list(library_strategies()) == sorted(library_strategies())
    assert folders["classic"]["moving_average_cross"] is MovingAverageCross


def test_strategy_is_made_of_a_name_and_parameters():
    assert find_strategy("moving_average_cross") is MovingAverageCross
    made = make_strategy("moving_average_cross", {"fast": 3, "slow": 9})
    assert made == MovingAverageCross(fast=3, slow=9)
    assert param_hash(made) != param_hash(MovingAverageCross())
    assert checked_version(made.version)


def test_unknown_names_and_parameters_are_refused_with_those_that_there_are():
    with pytest.raises(PluginError, match=r"no strategy named 'magic'.*adx_trend.*zscore"):
        find_strategy("magic")
    with pytest.raises(PluginError, match=r"no folder 'ancient'.*classic"):
        library_strategies("ancient")
    with pytest.raises(ConfigError, match=r"no parameter 'fats'.*did you mean 'fast'"):
        make_strategy("moving_average_cross", {"fats": 3})
    with pytest.raises(ConfigError, match="fast = 9 and slow = 3; fast must be less"):
        make_strategy("moving_average_cross", {"fast": 9, "slow": 3})


def test_a_name_that_two_folders_claim_is_refused(monkeypatch):
    monkeypatch.setattr(library, "LIBRARY", ("classic", "classic"))
    with pytest.raises(PluginError, match=re.escape("'adx_trend' is claimed by")):
        library_strategies()


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("cross_sectional_momentum", {"lookback": 5, "skip": 5}, "skip must be less"),
        ("halloween", {"first": 13}, "12 at most"),
        ("hurst_switch", {"reverting": 0.7}, "is above persistent"),
        ("macd_cross", {"fast": 30}, "must be less"),
        ("opening_range", {"opens": 1400}, "it must end after the range"),
        ("opening_range", {"closes": 2000}, "by 1440"),
        ("pairs_cointegration", {"stop": 1.0}, "is not beyond entry"),
        ("zscore_reversion", {"leave": 2.0}, "leave must be less"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(name, parameters, said):
    with pytest.raises(ConfigError, match=said):
        make_strategy(name, parameters)


@pytest.mark.slow
def test_another_package_offers_a_strategy_and_no_file_of_ours_changes(tmp_path: Path):
    facts = tmp_path / "foreign-1.0.dist-info"
    facts.mkdir()
    (tmp_path / "foreign_file.py").write_text(FOREIGN, encoding="utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    entry = "[quant_assets.strategies.modern]\nforeign = foreign_file\n"
    (facts / "entry_points.txt").write_text(entry, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**environment_of(tmp_path / "data"), "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["foreign_file", True, 0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["time_series_momentum", "volatility_managed"])
@pytest.mark.parametrize("hours", [1, 24])
def test_yearly_volatility_is_that_of_the_bars_whatever_their_length(name, hours):
    """Weights on planted volatility: 60 % a year is 0.64 % an hour of a market without closes."""
    rows, yearly = 2_000, 0.6
    step = np.timedelta64(hours, "h")
    deviation = yearly * np.sqrt(hours / (24 * 365.25))
    moves = np.random.default_rng(2).normal(0.0, deviation, (rows, 1))
    ts = np.datetime64("2022-01-01", "us") + np.arange(rows) * step
    close = 100.0 * np.exp(np.cumsum(moves, axis=0))
    bars = BarPanel.from_arrays(ts, ["A"], timedelta(hours=hours), close=close)
    parameters = {"target": 0.3} | ({"lookback": 500, "volatility": 400, "sides": "both"}
                  if name == "time_series_momentum" else {"lookback": 400})  # fmt: skip
    target = np.abs(make_strategy(name, parameters).signals(bars).target)
    decided = target[np.isfinite(target) & (target > 0.0)]
    expected = 0.3 / yearly if name == "time_series_momentum" else (0.3 / yearly) ** 2
    assert len(decided) >= 1
    np.testing.assert_allclose(decided, expected, rtol=0.2)
    stated = make_strategy(name, parameters | {"bars_per_year": 24 * 365.25 / hours})
    np.testing.assert_allclose(np.abs(stated.signals(bars).target), target, rtol=1e-9)


def test_basis_without_a_perpetual_and_its_spot_is_refused():
    ts = np.datetime64("2022-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    close = np.full((60, 2), 100.0)
    bars = BarPanel.from_arrays(ts, ["A/USD", "B/USD:USD"], timedelta(days=1), close=close)
    with pytest.raises(ConfigError, match=r"no perpetual and its spot, .* among A/USD, B/USD:USD"):
        make_strategy("basis").signals(bars)


def test_market_of_regime_momentum_moves_over_gaps():
    ts = np.datetime64("2022-01-01", "us") + np.arange(6) * np.timedelta64(1, "D")
    close = np.array([[100.0, 10], [np.nan, 10], [50.0, 10], [50.0, 20], [np.nan, 20], [100.0, 20]])
    bars = BarPanel.from_arrays(ts, ["A", "B"], timedelta(days=1), close=close)
    columns = make_strategy("regime_momentum").columns(bars)
    index = next(values for name, values in columns.items() if "turns" not in name)[:, 0]
    half = np.log(2.0) / 2.0
    np.testing.assert_allclose(np.diff(index), [0.0, -half, half, 0.0, half], atol=1e-12)
