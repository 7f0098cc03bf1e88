"""Bars out of trades, against bars that pandas resamples in one go."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.files.trade_bars import TradeBars, Trades, whole

MINUTE = timedelta(minutes=1)


def some_trades(count: int) -> pd.DataFrame:
    """Trades over twenty minutes, in the last of which nothing happens for a while."""
    random = np.random.default_rng(28)
    seconds = np.sort(random.integers(0, 600, count))
    seconds[count // 2 :] += 600
    return pd.DataFrame(
        {
            "ts": pd.to_datetime(seconds * 10**6 + 1_704_067_200_000_000, unit="us"),
            "price": 100 + random.normal(size=count).cumsum().round(2),
            "quantity": random.uniform(0.1, 2, count).round(3),
            "count": random.integers(1, 4, count),
            "line": np.arange(2, count + 2),
        }
    )


def part(frame: pd.DataFrame) -> Trades:
    names = ("price", "quantity", "count", "line")
    price, quantity, count, line = (frame[name].to_numpy() for name in names)
    ts = frame["ts"].to_numpy(dtype="datetime64[us]")
    return Trades(ts, price, quantity, count, line)


@pytest.mark.parametrize("batch", [7, 200])
def test_bars_do_not_depend_on_the_batches_and_equal_resampled_ones(batch: int) -> None:
    trades = some_trades(200)
    maker = TradeBars(MINUTE)
    parts = [maker.add(part(trades[start : start + batch])) for start in range(0, 200, batch)]
    assert not any(late.any() for _, late in parts)
    bars = pd.concat([*(frame for frame, _ in parts), maker.finish()], ignore_index=True)
    groups = trades.assign(value=trades["price"] * trades["quantity"]).groupby(
        trades["ts"].dt.floor("1min")
    )
    price = groups["price"]
    expected = pd.DataFrame({"open": price.first(), "high": price.max()})
    expected["low"], expected["close"] = price.min(), price.last()
    expected["volume"] = groups["quantity"].sum()
    expected["quote_volume"] = groups["value"].sum()
    expected["trades"] = groups["count"].sum()
    expected["line"] = groups["line"].first()
    found = bars.set_index(bars.pop("ts").dt.tz_localize(None))
    pd.testing.assert_frame_equal(found, expected, check_names=False, check_index_type=False)
    assert len(maker.finish()) == 0


def test_a_trade_of_a_bar_that_was_given_out_is_late() -> None:
    trades = some_trades(200).iloc[[0, 150, 1, 199]]
    _, late = TradeBars(MINUTE).add(part(trades))
    assert late.tolist() == [False, False, True, False]


def test_only_bars_inside_a_span_are_whole() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    bars = pd.DataFrame({"ts": [start, start + MINUTE, start + 2 * MINUTE]})
    edge = timedelta(seconds=1)
    mask = whole(bars, start=start + edge, end=start + 3 * MINUTE - edge, length=MINUTE)
    assert mask.tolist() == [False, True, False]
