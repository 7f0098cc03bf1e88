"""Strategies on real perpetuals of Binance, as TA-Lib and pandas see them; skipped without them."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import library_strategies, make_strategy
from quant_assets.quant.strategies.signals import FLAGS
from quant_assets_tests.adapters.real_files import real_file
from quant_assets_tests.quant.strategies.library import oracles
from quant_assets_tests.quant.strategies.library.test_golden_trades import expected_flags, ties

pytestmark = pytest.mark.slow
FOLDER = "binance/raw/freqtrade_2025_06/futures/{}_USDT_USDT-{}.feather"
BASES = ("BTC", "ETH", "SOL")
# A weekday is another day around the clock, the oracle of ranges is for hours, and these bars have
# no forced orders, no spot, and no year.
OTHER_BARS = {"halloween", "liquidation_reversion", "opening_range", "turn_of_month"}
NOT_HERE = {"basis", "calendar_seasonality", "liquidation_reversion"}
PARAMETERS = {"gap_fade": {"gap": 0.02}}
FREE = {"preset": "optimistic", "margin_model": {"leverage": {"leverage": 3.0}}}


@pytest.fixture(scope="module")
def bars():
    """Real bars of 15 minutes, three weeks of them, with the last funding rate known."""
    columns = {}
    for base in BASES:
        frame = pd.read_feather(real_file(FOLDER.format(base, "5m-futures"))).set_index("date")
        how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        columns[base] = frame.resample("15min").agg(how).iloc[1:2_001]
        rates = pd.read_feather(real_file(FOLDER.format(base, "8h-funding_rate")))
        rate = rates.set_index(rates["date"].dt.floor("min"))["open"]
        ended = columns[base].index + pd.Timedelta(minutes=15)
        columns[base]["funding_rate"] = rate.reindex(ended, method="ffill").to_numpy()
    fields = {
        name: np.column_stack([columns[base][name] for base in BASES])
        for name in ("open", "high", "low", "close", "volume", "funding_rate")
    }
    rate = {"funding_rate": fields.pop("funding_rate")}
    ts = columns["BTC"].index.tz_localize(None).to_numpy()
    return BarPanel.from_arrays(ts, BASES, timedelta(minutes=15), extras=rate, **fields)


@pytest.mark.parametrize("name", sorted(set(oracles.FLAGS) - OTHER_BARS))
def test_flags_on_real_intraday_bars_are_those_of_the_rule(name, bars):
    strategy = make_strategy(name, PARAMETERS.get(name))
    signals, (flags, _) = strategy.signals(bars), expected_flags(name, bars)
    excused = ties(name, bars)
    assert excused.mean() < 5e-3
    known = slice(strategy.warm_up, None)
    for signal in FLAGS:
        given = getattr(signals, signal)
        given = np.zeros(bars.close.shape, dtype=bool) if given is None else given
        theirs = np.where(excused, given, flags[signal])
        np.testing.assert_array_equal(given[known], theirs[known], err_msg=signal)


@pytest.mark.parametrize("name", sorted(set(library_strategies()) - NOT_HERE))
def test_strategy_trades_real_bars_alike_in_both_forms(name, bars):
    part = bars.select(BASES[:2]) if "pairs" in name else bars
    strategy = make_strategy(name, PARAMETERS.get(name))
    vector = backtest(strategy, part, FREE)
    assert backtest(strategy, part, FREE, form="bar").hash() == vector.hash()
