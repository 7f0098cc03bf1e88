"""Clocks of two sources: known shifts are found, other differences are none."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.doubts import Doubts
from quant_assets.core.errors import DataError
from quant_assets.quant.market.alignment import (
    Lag,
    market_shifts,
    refuse_time_shifts,
    returns_lag,
    time_shifts,
)
from quant_assets_tests.quant.market.frames import bars_frame

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


def market(n_rows: int = 600, *, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, n_rows)))


def source(closes: dict[str, np.ndarray], *, late: timedelta = timedelta(0)) -> pd.DataFrame:
    start = pd.Timestamp("2024-03-01") + late
    return bars_frame({name: list(v) for name, v in closes.items()}, start=start, step=HOUR)


@pytest.mark.parametrize("bars", [-14, -9, -1, 0, 1, 2, 14])
def test_lag_is_the_shift_that_was_planted(bars):
    noise = np.random.default_rng(1).normal(1.0, 0.003, 600)
    ours = source({"A": market() * noise}, late=bars * HOUR)
    lag = returns_lag(ours, source({"A": market()}), HOUR)
    assert lag is not None
    assert lag.bars == bars
    assert lag.is_shift is (bars != 0)
    assert lag.correlation > 0.7


def test_correlation_is_numpys_on_the_shared_returns():
    first, second = market(), market() * np.random.default_rng(1).normal(1.0, 0.001, 600)
    lag = returns_lag(source({"A": first}), source({"A": second}), HOUR)
    assert lag is not None
    left, right = (np.diff(np.log(close)) for close in (first, second))
    clipped = [
        np.clip(r, *(np.array([-1, 1]) * 5 * 1.4826 * np.median(np.abs(r)))) for r in (left, right)
    ]
    assert lag.at_zero == pytest.approx(np.corrcoef(*clipped)[0, 1], rel=1e-12)


def test_strangers_and_short_series_are_no_shift():
    ours = source({"A": market()})
    lag = returns_lag(ours, source({"A": market(seed=9)}), HOUR)
    assert lag is not None
    assert not lag.is_shift
    assert returns_lag(ours.iloc[:50], ours.iloc[:50], HOUR) is None
    flat = source({"A": np.full(300, 5.0)})
    assert returns_lag(flat, flat, HOUR) is None
    assert returns_lag(ours.iloc[:1], ours, HOUR) is None


def test_gaps_and_a_bad_tick_do_not_hide_the_shift():
    close = market()
    close[100:160] = np.nan
    close[300] *= 1000.0
    lag = returns_lag(source({"A": close}, late=3 * HOUR), source({"A": market()}), HOUR)
    assert lag is not None
    assert lag.bars == 3
    assert lag.is_shift


def test_a_market_that_trends_from_bar_to_bar_is_no_shift():
    assert not Lag(bars=1, correlation=0.95, at_zero=0.9).is_shift
    assert Lag(bars=1, correlation=0.6, at_zero=float("nan")).is_shift


def test_shifted_symbols_are_named_with_the_seconds():
    closes = {"A": market(), "B": market(seed=4), "C": market(seed=5)}
    moved = [source({"A": closes["A"]}, late=HOUR), source({"B": closes["B"]}, late=-5 * HOUR)]
    ours = pd.concat([*moved, source({"C": closes["C"], "D": market()})])
    doubts = Doubts.check_frame(time_shifts(ours, source(closes), HOUR), where="doubts")
    found = doubts.sort_values("symbol")[["symbol", "reason", "value"]].to_numpy().tolist()
    assert found == [
        ["A", "stamped at the close", 3600.0],
        ["B", "shifted in time", -18000.0],
    ]
    words = r"b.csv: .*2 symbols.*B by 5:00:00 early \(shifted in time\).*A by 1:00:00 late"
    with pytest.raises(DataError, match=words):
        refuse_time_shifts(ours, source(closes), HOUR, source="b.csv")
    refuse_time_shifts(source(closes), source(closes), HOUR, source="b.csv")


def venue(n_symbols: int = 6, n_rows: int = 300, *, common: float = 0.7, seed: int = 2) -> dict:
    """Closes of symbols whose returns share a market with correlation `common`."""
    generator = np.random.default_rng(seed)
    own = generator.normal(0.0, 0.01, (n_symbols, n_rows))
    moves = np.sqrt(common) * generator.normal(0.0, 0.01, n_rows) + np.sqrt(1 - common) * own
    closes = 100.0 * np.exp(np.cumsum(moves, axis=1))
    return {f"S{code}": closes[code] for code in range(n_symbols)}


def bars_of(closes: dict, late: dict[str, int] | None = None, step: timedelta = HOUR):
    """Bars of a venue in which some symbols lie some bars late."""
    parts = [
        bars_frame(
            {name: list(values)},
            start=pd.Timestamp("2024-03-01") + (late or {}).get(name, 0) * step,
            step=step,
        )
        for name, values in closes.items()
    ]
    return pd.concat(parts).sort_values(["ts", "symbol"]).reset_index(drop=True)


@pytest.mark.parametrize("bars", [-14, 1, 3])
def test_market_shift_of_one_symbol_is_found_and_the_others_are_not_blamed(bars):
    shifts = market_shifts(bars_of(venue(), {"S2": bars}), HOUR)
    (row,) = Doubts.check_frame(shifts, where="doubts").itertuples()
    reason = "stamped at the close" if bars == 1 else "shifted in time"
    assert (row.symbol, row.reason, row.value) == ("S2", reason, 3600.0 * bars)
    last = pd.Timestamp("2024-03-01", tz="UTC") + (299 + bars) * HOUR
    assert (row.ts, row.available_at) == (last, last + HOUR)


def test_market_shift_agrees_with_the_lag_against_a_second_source():
    """The pairwise search over all lags, against an index of the others, is the oracle."""
    closes = venue(common=0.6)
    moved = bars_of(closes, {"S0": 2})
    others = np.mean([np.diff(np.log(closes[name])) for name in closes if name != "S0"], axis=0)
    index = 100.0 * np.exp(np.cumsum(np.concatenate([[0.0], others])))
    lag = returns_lag(moved[moved["symbol"] == "S0"], bars_of({"S0": index}), HOUR)
    assert lag is not None
    assert lag.is_shift
    (value,) = market_shifts(moved, HOUR)["value"]
    assert value == lag.bars * 3600.0


def test_market_shift_needs_a_market():
    strangers = venue(common=0.0, n_symbols=8, n_rows=120)
    assert market_shifts(bars_of(strangers, {"S1": 1}), HOUR).empty
    assert market_shifts(bars_of(venue()), HOUR).empty
    two = dict(list(venue().items())[:2])
    assert market_shifts(bars_of(two, {"S1": 3}), HOUR).empty
    assert market_shifts(bars_of(venue(n_rows=90), {"S1": 3}), HOUR).empty
    assert market_shifts(bars_frame({}), HOUR).empty


def test_market_shift_all_alike_is_not_seen():
    """The limit of the method, stated: without another source nobody can tell."""
    assert market_shifts(bars_of(venue(), dict.fromkeys(venue(), 3)), HOUR).empty


def test_market_shift_of_a_quarter_of_an_hour_on_five_minute_bars():
    step = timedelta(minutes=5)
    moved = bars_of(venue(), {"S4": -3}, step)
    assert market_shifts(moved, step)["value"].tolist() == [-900.0]
    daily = market_shifts(bars_of(venue(), {"S4": 1}, timedelta(days=1)), timedelta(days=1))
    assert daily["value"].tolist() == [86400.0]


def test_market_shift_gaps_flat_series_and_rows_off_the_grid_are_no_obstacle():
    closes = {name: values.copy() for name, values in venue().items()}
    closes["S1"][50:150] = np.nan
    closes["S3"][:] = 5.0
    moved = bars_of(closes, {"S2": 4})
    odd = moved["symbol"] == "S5"
    stray = pd.Timedelta(minutes=7)
    ts = moved["ts"].where(~odd, moved["ts"] + 5 * HOUR + stray)
    moved = moved.assign(ts=ts).sort_values(["ts", "symbol"]).reset_index(drop=True)
    assert market_shifts(moved, HOUR)["symbol"].tolist() == ["S2"]
