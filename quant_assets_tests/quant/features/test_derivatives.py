"""Events on the rows of bars: by hand, and never before they were published."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.features.derivatives import (
    Rows,
    funding_rates,
    liquidated,
    open_interests,
    spot_closes,
)
from quant_assets_tests.quant.market.frames import timestamps

START = pd.Timestamp("2024-01-01", tz="UTC")
ROWS = Rows(
    np.datetime64("2024-01-01", "us") + np.arange(1, 6) * np.timedelta64(8, "h"), ("A", "B")
)


def events(hours, symbols, *, delay=0.0, **columns):
    """Events at START + hours that are published `delay` hours later."""
    ts = START + pd.to_timedelta(hours, unit="h")
    late = ts + pd.to_timedelta(np.broadcast_to(delay, len(hours)), unit="h")
    frame = {"ts": timestamps(ts), "available_at": timestamps(late)}
    return pd.DataFrame({**frame, "symbol": pd.Series(symbols, dtype="str"), **columns})


def test_funding_is_summed_on_the_first_row_that_knew_it():
    funding = events([8, 16, 20, 24, 40], list("AAABA"), rate=[9.0, 1.0, 2.0, 3.0, 4.0])
    expected = np.full((5, 2), np.nan)
    expected[1, 0], expected[2, 0], expected[2, 1], expected[4, 0] = 1.0, 2.0, 3.0, 4.0
    np.testing.assert_array_equal(funding_rates(ROWS, funding), expected)


def test_funding_that_is_published_late_counts_late():
    funding = events([16], ["A"], delay=0.5, rate=[1.0])
    assert np.flatnonzero(~np.isnan(funding_rates(ROWS, funding)[:, 0])).tolist() == [2]


def test_open_interest_is_carried_a_day_and_no_longer():
    rows = Rows(ROWS.known[0] + np.arange(6) * np.timedelta64(8, "h"), ("A",))
    found = open_interests(rows, events([9], ["A"], open_interest=[5.0]))
    np.testing.assert_array_equal(found[:, 0], [np.nan, 5.0, 5.0, 5.0, np.nan, np.nan])


def test_open_interest_older_snapshot_that_comes_late_does_not_replace_a_newer_one():
    late = events([12, 10], ["A", "A"], delay=[0.0, 10.0], open_interest=[5.0, 4.0])
    np.testing.assert_array_equal(open_interests(ROWS, late)[:4, 0], [np.nan, 5.0, 5.0, 5.0])


def test_liquidations_are_quote_notional_by_side():
    orders = events(
        [10, 11, 30],
        ["B", "B", "A"],
        side=["sell", "buy", "sell"],
        price=[2.0, 3.0, 4.0],
        quantity=[10.0, 10.0, 10.0],
    )
    longs, shorts = (liquidated(ROWS, orders, side=side) for side in ("sell", "buy"))
    assert longs[1].tolist() == [0.0, 20.0]
    assert longs[3].tolist() == [40.0, 0.0]
    assert shorts.sum() == shorts[1, 1] == 30.0


def test_spot_closes_are_those_of_the_same_pair():
    close = np.array([[1.0, 2.0, 3.0]])
    found = spot_closes(close, ("BTC/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT"))
    np.testing.assert_array_equal(found, [[np.nan, 1.0, np.nan]])


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_events_of_the_future_change_no_earlier_row(cut):
    rng = np.random.default_rng(cut)
    hours, symbols = rng.uniform(0, 45, 60), rng.choice(["A", "B"], 60)
    frame = events(hours, symbols, delay=rng.exponential(4.0, 60), rate=rng.normal(size=60))
    frame = frame.assign(open_interest=rng.lognormal(size=60))
    known = frame[frame["available_at"] <= pd.Timestamp(ROWS.known[cut - 1], tz="UTC")]
    for place in (funding_rates, open_interests):
        whole, past = place(ROWS, frame), place(ROWS, known.reset_index(drop=True))
        assert whole[:cut].tobytes() == past[:cut].tobytes()
