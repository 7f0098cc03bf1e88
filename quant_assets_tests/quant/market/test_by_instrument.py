"""Tickers become instruments on the days on which they meant them, and on no other."""

import pandas as pd

from quant_assets.quant.market.aliases import by_instrument


def times(*days: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days), utc=True)).dt.as_unit("us")


def test_ticker_that_was_given_out_again_belongs_to_two_instruments():
    """The ticker X meant OLD until the 10th, NEW from the 20th; between them, nobody."""
    bars = pd.DataFrame(
        {
            "ts": times("2024-01-05", "2024-01-10", "2024-01-15", "2024-01-20"),
            "symbol": pd.Series(["X"] * 4, dtype="str"),
        }
    )
    aliases = pd.DataFrame(
        {
            "ts": times("2024-01-01", "2024-01-20"),
            "symbol": pd.Series(["OLD", "NEW"], dtype="str"),
            "ticker": pd.Series(["X", "X"], dtype="str"),
            "last": pd.Series([pd.Timestamp("2024-01-10", tz="UTC"), pd.NaT]),
        }
    )
    assert by_instrument(bars, aliases)["symbol"].tolist() == ["OLD", "OLD", "X", "NEW"]
