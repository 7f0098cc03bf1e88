"""Stamps on strategies that take part in a venue."""

import pandas as pd

from quant_assets.contracts.strategy_leaks import StrategyLeaks
from quant_assets.core.venues import StrategyRoles
from quant_assets.reporting.strategy_roles import role_stamps


def verdict(word: str) -> pd.DataFrame:
    """A verdict, and a finding whose row is not the verdict."""
    return pd.DataFrame(
        {"finding": [0, 1], "trusted": [word == "trusted", False], "text": [f"dip: {word}", "odd"]}
    )


def test_stamps_say_who_decides_bar_by_bar_and_what_optimizers_choose_among():
    roles = StrategyRoles(entrants=["sma", "dip", "dip"], streams=["sma"])
    leaks = {"dip_leaks": verdict("trusted"), "sma_leaks": verdict("trusted")}
    entrants, streams = role_stamps(roles, leaks)
    assert entrants.startswith("STRATEGIES: dip, sma trade bar by bar")
    assert "among what sma held" in streams


def test_stamps_name_every_strategy_that_is_not_trusted():
    leaks = {"dip_leaks": verdict("leak"), "sma_leaks": StrategyLeaks.empty()}
    *_, dip, sma = role_stamps(StrategyRoles(entrants=["dip", "sma"]), leaks)
    assert dip == "NOT TRUSTED: dip by the leak check: dip: leak"
    assert sma == "NOT TRUSTED: sma by the leak check: not checked"


def test_stamps_of_a_venue_without_strategies_are_none():
    assert role_stamps(StrategyRoles(), {}) == ()
