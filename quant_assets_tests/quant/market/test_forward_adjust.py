"""Forward adjustment: true returns over events, nothing in the past ever changes."""

import numpy as np
import pandas as pd

from quant_assets.quant.market.forward_adjust import adjustments_of_closes, forward_adjusted


def bars(closes: list[float]) -> pd.DataFrame:
    count = len(closes)
    close = np.array(closes)
    return pd.DataFrame(
        {
            "ts": pd.date_range("2024-01-01", periods=count, freq="D", tz="UTC", unit="us"),
            "symbol": pd.Series(["A"] * count, dtype="str"),
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "volume": np.full(count, 100.0),
        }
    )


def events(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": pd.Series(pd.to_datetime([r[0] for r in rows], utc=True)).dt.as_unit("us"),
            "symbol": pd.Series(["A"] * len(rows), dtype="str"),
            "kind": pd.Series([r[1] for r in rows], dtype="str"),
            "price_factor": [r[2] for r in rows],
        }
    )


def test_split_day_has_the_true_return_and_volume_in_old_units():
    """100, 102, then 2:1: 51.5 is worth 103; 200 new shares are 100 old ones."""
    frame = bars([100.0, 102.0, 51.5])
    adjusted = forward_adjusted(frame, events(("2024-01-03", "split", 0.5)), dividends=False)
    assert adjusted["close"].tolist() == [100.0, 102.0, 103.0]
    assert adjusted["volume"].tolist() == [100.0, 100.0, 50.0]


def test_dividend_counts_only_for_total_return():
    """1 of 100 is paid, the price falls to 99: nothing was lost."""
    frame, paid = bars([100.0, 99.0]), events(("2024-01-02", "dividend", 0.99))
    total = forward_adjusted(frame, paid, dividends=True)["close"]
    np.testing.assert_allclose(total, [100.0, 100.0], rtol=1e-15)
    assert forward_adjusted(frame, paid, dividends=False)["close"].tolist() == [100.0, 99.0]


def test_later_event_changes_no_earlier_price():
    frame = bars([100.0, 102.0, 51.5, 50.0])
    first = events(("2024-01-03", "split", 0.5))
    both = events(("2024-01-03", "split", 0.5), ("2024-01-04", "dividend", 0.97))
    before = forward_adjusted(frame, first, dividends=True)
    after = forward_adjusted(frame, both, dividends=True)
    pd.testing.assert_frame_equal(before.iloc[:3], after.iloc[:3])


def test_returns_equal_those_of_the_sources_adjusted_closes():
    """Yahoo's way: adjusted = close x product of later factors; rounding is no event."""
    generator = np.random.default_rng(5)
    close = np.cumprod(1 + generator.normal(0, 0.02, 60)) * 50
    factor = np.ones(60)
    factor[20], factor[40] = 0.99, 0.5
    later = np.append(np.cumprod(factor[::-1])[::-1][1:], 1.0)
    adjusted = np.round(close * later, 6)
    frame = bars(close.tolist())
    found = adjustments_of_closes(frame, pd.Series(adjusted), splits_are_in=False)
    assert found["kind"].tolist() == ["dividend", "split"]
    np.testing.assert_allclose(found["price_factor"], [0.99, 0.5], rtol=1e-6)
    ours = forward_adjusted(frame, found, dividends=True)["close"].pct_change().iloc[1:]
    np.testing.assert_allclose(ours, (adjusted[1:] / adjusted[:-1]) - 1, atol=1e-7)


def test_vintages_are_compared_each_with_itself():
    """The second vintage repeats the 1st of January, adjusted for the 2:1 split of the 2nd."""
    frame = bars([100.0, 100.0, 50.0])
    frame["ts"] = frame["ts"].iloc[[0, 0, 1]].to_numpy()
    frame["ts"] = frame["ts"].dt.tz_localize("UTC") if frame["ts"].dt.tz is None else frame["ts"]
    vintages = frame["ts"].iloc[[0, 2, 2]].reset_index(drop=True)
    adjusted = pd.Series([100.0, 50.0, 50.0])
    found = adjustments_of_closes(frame, adjusted, splits_are_in=False, collected_at=vintages)
    assert found["price_factor"].tolist() == [0.5]
    assert found["ts"].tolist() == [frame["ts"].iloc[2]]
