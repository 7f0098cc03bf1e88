"""Misspelt keywords are told what was meant."""

import inspect

import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError
from quant_assets.quant.simulation.lean.sweeps import sweep
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.keywords import KeywordError, hinting


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: backtest(None, None, initial_captial=1.0), "did you mean initial_capital?"),
        (lambda: sweep(None, {}, None, budget=1.0), "did you mean budget_mb?"),
        (lambda: StrategyBuilder(nmae="x"), "StrategyBuilder takes no 'nmae'; did you mean name?"),
        (
            lambda: StrategyBuilder().with_signals(entry_lon="rsi_oversold"),
            "did you mean entry_long?",
        ),
        (lambda: StrategyBuilder().with_warm_up(days=3), "known: bars"),
    ],
)
def test_a_misspelt_keyword_is_told_what_was_meant(call, words):
    with pytest.raises(KeywordError) as caught:
        call()
    assert words in str(caught.value)
    assert isinstance(caught.value, ConfigError)
    assert isinstance(caught.value, TypeError)


def test_signatures_and_other_errors_stay_as_they_are():
    assert "initial_capital" in inspect.signature(backtest).parameters
    assert list(inspect.signature(StrategyBuilder).parameters)[:2] == ["name", "version"]
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        StrategyBuilder().with_regime()


def test_a_function_that_takes_any_keyword_refuses_none():
    @hinting
    def anything(one=1, **others):
        return one, others

    assert anything(two=2) == (1, {"two": 2})
