"""Strategies by name: found in their folders, made of parameters, refused with what there is."""

import re

import pytest

from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.quant.strategies import (
    LIBRARY,
    find_strategy,
    library,
    library_strategies,
    make_strategy,
)
from quant_assets.quant.strategies.classic import MovingAverageCross
from quant_assets.quant.strategies.versioning import checked_version, param_hash


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
