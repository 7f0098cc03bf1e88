"""The strategy files under examples: each trades, and some are strategies of the library."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.yaml_loader import load_yaml
from quant_assets.quant.strategies import library_strategies, load_strategy, make_strategy
from quant_assets_tests.docs.pages import REPOSITORY
from quant_assets_tests.quant.strategies.library import real_bars
from quant_assets_tests.quant.strategies.library.cases import bars_of, without_costs

FILES = {path.stem: path for path in sorted((REPOSITORY / "examples/strategies").glob("*.yaml"))}
OF_RULES = sorted(
    name for name in set(FILES) & set(library_strategies()) if name != "funding_carry"
)
DESIGN = REPOSITORY / "quant_assets_tests/quant/strategies/design_example.yaml"
every_file = pytest.mark.parametrize("name", sorted(FILES))


@every_file
def test_file_is_named_as_its_strategy_and_says_what_it_is(name):
    assert FILES[name].read_text(encoding="utf-8").startswith("# ")
    assert load_yaml(FILES[name]).data["strategy"] == name


def test_file_of_the_design_document_is_as_it_stands_there():
    assert load_yaml(FILES["bb_mean_reversion"]).data == load_yaml(DESIGN).data


@pytest.mark.slow
@every_file
def test_file_trades_alike_in_both_forms(name):
    loaded = load_strategy(FILES[name])
    if name == "bb_mean_reversion":
        bars = real_bars.perpetuals(minutes=15)
    elif name == "funding_carry":
        bars = real_bars.perpetuals()
    else:
        bars = real_bars.weeks() if name == "squeeze_breakout" else real_bars.stocks()
    loaded.check_bars(bars)
    bars = bars.rows(slice(-2_000, None))
    options = {"initial_capital": loaded.settings.backtest.initial_capital}
    if ":" in bars.symbols[0]:
        options["funding"] = real_bars.funding()
    result = backtest(loaded.strategy, bars, **options)
    assert result.n_trades > 0
    assert backtest(loaded.strategy, bars, form="bar", **options).hash() == result.hash()


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_RULES)
def test_rules_trade_as_the_strategy_of_that_name_in_the_library(name):
    bars, strategy = bars_of(name), make_strategy(name)
    of_rules = backtest(load_strategy(FILES[name]).strategy, bars, without_costs(bars))
    of_class = backtest(strategy, bars, without_costs(bars))
    assert of_class.n_trades > 100
    np.testing.assert_array_equal(of_rules.equity_values, of_class.equity_values)
    signed = of_rules.trades.pop("entry_signal")  # only rules have names to sign with
    assert signed.str.contains("rules").all()
    pd.testing.assert_frame_equal(of_rules.trades, of_class.trades.drop(columns="entry_signal"))


def test_files_of_rules_are_those_that_say_so():
    said = {
        name
        for name, path in FILES.items()
        if "The same trades as the strategy of this name" in path.read_text(encoding="utf-8")
    }
    assert said == set(OF_RULES)
    assert len(OF_RULES) >= 6
