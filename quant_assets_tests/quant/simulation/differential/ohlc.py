"""Real bars with highs and lows: those that backtesting.py bundles, and the real data beside."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets_tests.adapters.real_files import real_file

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
COLUMNS = ("open", "high", "low", "close", "volume")


def panel(frame, symbol, bar_length):
    """A panel of one symbol; days of one session each, in UTC."""
    prices = {name: frame[name.capitalize()].to_numpy(dtype=np.float64) for name in COLUMNS}
    return BarPanel.from_arrays(frame.index.to_numpy(), [symbol], bar_length, **prices)


def goog():
    """Google, days of 2004 to 2013."""
    test = pytest.importorskip("backtesting.test", reason="oracle; the extra `dev` has it")
    return panel(test.GOOG, "GOOG", DAY)


def eurusd():
    """Euro in dollars, hours of 2017 and 2018."""
    test = pytest.importorskip("backtesting.test", reason="oracle; the extra `dev` has it")
    return panel(test.EURUSD, "EURUSD", HOUR)


def stock(symbol):
    """A stock's days of 2012 to 2017, of the real data beside; skips where it is absent."""

    def read():
        file = real_file(f"us_equities/stocknet/{symbol}.csv.gz")
        frame = pd.read_csv(file, parse_dates=["Date"], index_col="Date")
        return panel(frame, symbol, DAY)

    return read


# reader, units that 10,000 can pay, distances beside those of daily stocks
MARKETS = {
    "GOOG": (goog, 10, 2.5),
    "EURUSD": (eurusd, 3_000, 0.15),
    "AAPL": (stock("AAPL"), 20, 1.0),
    "XOM": (stock("XOM"), 40, 0.8),
    "BAC": (stock("BAC"), 200, 1.0),
}
