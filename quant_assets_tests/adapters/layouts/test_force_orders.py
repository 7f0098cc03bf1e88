"""Force orders as a recorder wrote them, with its quirks."""

import pandas as pd
import pytest

from quant_assets.adapters.files.opening import open_source
from quant_assets_tests.adapters.layouts.reading import crypto_venue, read_all, text_file
from quant_assets_tests.adapters.real_files import real_file

VENUE = crypto_venue()
LINES = (
    "Hello Trading BotIP,SELL,LIMIT,IOC,150.0,3.06,None,FILLED,98.9,150.0,1750234363411,1",
    "FUN,SELL,LIMIT,IOC,15226,0.0099050,None,FILLED,14030,15226,1750713737179,150.8",
    "NA,BUY,LIMIT,IOC,10,2.0,1.5,FILLED,4,10,1750713737180,15",
    "BTC_250627,BUY,LIMIT,IOC,1,105042.2,0,FILLED,1,0.001,1750713333547,105.0",
)


def test_events_with_a_greeting_in_front_of_a_symbol_are_set_aside() -> None:
    content = read_all(text_file("orders.csv", *LINES), VENUE)
    events = content.frames["liquidations"]
    assert content.layout == "force_orders"
    assert events.drop(columns=["event_id"]).to_dict("records") == [
        {
            "ts": pd.Timestamp("2025-06-23 21:22:17.179", tz="UTC"),
            "symbol": "FUN/USDT:USDT",
            "side": "sell",
            "price": 0.009905,  # the order's: there is no average
            "quantity": 15226.0,  # filled in all
            "line": 2,
        },
        {
            "ts": pd.Timestamp("2025-06-23 21:22:17.180", tz="UTC"),
            "symbol": "NA/USDT:USDT",
            "side": "buy",
            "price": 1.5,
            "quantity": 10.0,
            "line": 3,
        },
        {
            "ts": pd.Timestamp("2025-06-23 21:15:33.547", tz="UTC"),
            "symbol": "BTC/USDT:USDT-250627",
            "side": "buy",
            "price": 105042.2,
            "quantity": 0.001,
            "line": 4,
        },
    ]
    assert content.rejects["line"].tolist() == [1]
    assert content.rejects["symbol"].tolist() == ["Hello Trading BotIP"]


@pytest.mark.parametrize(("part", "rows", "set_aside"), [("a", 702, 0), ("b", 453, 1)])
def test_real_files(part: str, rows: int, set_aside: int) -> None:
    path = real_file(f"binance/raw/liquidations/forceorders_2025-06-23_{part}.csv")
    (opened,) = open_source(path)
    content = read_all(opened, VENUE)
    assert len(content.frames["liquidations"]) == rows
    assert len(content.rejects) == set_aside
