"""`prices_v2` beside `load(…, adjusted_as_of=…)`, and beside splits and dividends by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell
from quant_assets.storage.reading import load
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.storage.samples import bars, commit

pytestmark = pytest.mark.slow

COLUMNS = (
    "symbol, timestamp, timeframe, open, high, low, close, volume, adj_close, split_factor, "
    "dividend"
)
EVENTS = [  # 2:1 on the 3rd, 5 % of the close of the 4th on the 5th, on a day without a bar 4:1
    ("2020-01-03", "AAPL", "split", 0.5),
    ("2020-01-05", "AAPL", "dividend", 0.95),
    ("2020-01-08", "MSFT", "split", 0.25),
]


def stored(folder: Path, price_adjustment: str, *, events: bool = True) -> Path:
    """Bars of the 1st to the 6th and of the 9th of January, and the events."""
    store = SnapshotStore(folder)
    config = store.put_config(
        {"market": {"price_adjustment": price_adjustment, "bar_length": "1d"}}
    )
    prices = pd.concat([bars(6), bars(1, first="2020-01-09", scale=1.2)], ignore_index=True)
    for name in ("open", "high", "low"):
        prices[name] = prices["close"]
    prices = prices.assign(volume=8.0, is_gap=False)
    prices.loc[4, ["open", "high", "low", "close"]] = np.nan  # AAPL on the 3rd
    commit(store, Cell("bars", "v", "2020-01-01"), prices, config_digest=config)
    if events:
        days, symbols, kinds, factors = zip(*EVENTS, strict=True)
        ts = pd.DatetimeIndex(days, tz="UTC").as_unit("us")
        frame = pd.DataFrame(
            {
                "ts": ts,
                "available_at": ts,
                "symbol": pd.array(symbols, dtype="str"),
                "kind": pd.array(kinds, dtype="str"),
                "price_factor": factors,
            }
        )
        commit(store, Cell("adjustments", "v", "2020-01-01"), frame, config_digest=config)
    return folder


def rows_of(root: Path) -> pd.DataFrame:
    sql = f"SELECT {COLUMNS} FROM prices_v2 ORDER BY timestamp, symbol"  # noqa: S608  # constant
    return run_query(root, sql)


@pytest.mark.parametrize("price_adjustment", ["none", "splits", "total_return"])
def test_adjusted_closes_are_those_of_an_adjusted_reading(tmp_path, price_adjustment):
    root = stored(tmp_path, price_adjustment)
    found = rows_of(root)
    read = load("bars", venue="v", root=root, adjusted_as_of="2031-01-01")
    assert (found["timestamp"] == read["ts"]).all()
    np.testing.assert_allclose(found["adj_close"], read["close"], rtol=1e-13)
    raw = load("bars", venue="v", root=root)
    np.testing.assert_array_equal(found["close"], raw["close"])
    changed = (found["adj_close"] != found["close"]) & found["close"].notna()
    assert changed.sum() == {"none": 3 + 6, "splits": 3, "total_return": 0}[price_adjustment]


def test_splits_and_dividends_stand_at_the_first_bar_they_are_in_effect(tmp_path):
    found = rows_of(stored(tmp_path, "none"))
    found["day"] = found["timestamp"].dt.strftime("%m-%d")
    at = found.set_index(["symbol", "day"])
    assert at["split_factor"].drop([("AAPL", "01-03"), ("MSFT", "01-09")]).eq(1.0).all()
    assert at.loc[("AAPL", "01-03"), "split_factor"] == 2.0
    assert at.loc[("MSFT", "01-09"), "split_factor"] == 4.0
    assert at["dividend"].drop([("AAPL", "01-05")]).eq(0.0).all()
    before = at.loc[("AAPL", "01-04"), "close"]
    assert at.loc[("AAPL", "01-05"), "dividend"] == pytest.approx(0.05 * before, rel=1e-12)
    assert set(found["timeframe"]) == {"1d"}


def test_prices_without_events_are_as_published(tmp_path):
    found = rows_of(stored(tmp_path, "none", events=False))
    np.testing.assert_array_equal(found["adj_close"], found["close"])
    assert found["split_factor"].eq(1.0).all()
    assert found["dividend"].eq(0.0).all()


def test_view_does_not_exist_without_bars(tmp_path):
    with pytest.raises(ConfigError, match="prices_v2"):
        run_query(tmp_path, "SELECT * FROM prices_v2")
