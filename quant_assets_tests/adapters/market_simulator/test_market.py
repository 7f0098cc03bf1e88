"""The simulated market: candles that hang together, shocks, premiums, settlements, invariances."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.market_simulator.candles import decimals_for, make_candles, ticks
from quant_assets.adapters.market_simulator.clock import Clock
from quant_assets.adapters.market_simulator.factors import FactorParameters, simulate_factor
from quant_assets.adapters.market_simulator.market import (
    Instrument,
    SimulatedMarket,
    planted_shocks,
    settlements,
    simulate_market,
)
from quant_assets.adapters.market_simulator.settings import ShockSettings, SimulatorSettings

pytestmark = pytest.mark.slow

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 31)
ASSETS: list[dict[str, Any]] = [
    {"base": "BTC", "first_price": 42_000, "own_volatility": 0.15},
    {"base": "LATE", "first_price": 2.5, "own_volatility": 0.8, "first": "2024-02-10"},
    {"base": "GONE", "first_price": 1e-5, "own_volatility": 0.5, "last": "2024-02-20"},
]
FIELDS = ("open", "high", "low", "close", "volume")


def build(last: date = LAST, **settings: Any) -> SimulatedMarket:
    options = SimulatorSettings.model_validate({"assets": ASSETS, **settings})
    return simulate_market(options, Clock(FIRST, last, timedelta(minutes=5)))


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return build()


def named(market: SimulatedMarket, symbol: str) -> Instrument:
    return next(i for i in market.instruments if i.symbol == symbol)


def same_beginning(left: Instrument, right: Instrument, rows: int) -> bool:
    candles = [(getattr(left.candles, f), getattr(right.candles, f)) for f in FIELDS]
    return all(a[:rows].tobytes() == b[:rows].tobytes() for a, b in candles)


def test_simulate_market_has_spot_and_perpetual_of_each_asset(market: SimulatedMarket) -> None:
    assert [i.symbol for i in market.instruments] == [
        "BTC/USDT", "BTC/USDT:USDT", "GONE/USDT", "GONE/USDT:USDT", "LATE/USDT", "LATE/USDT:USDT",
    ]  # fmt: skip
    assert market.clock.n_bars == 91 * 288


def test_simulate_market_bars_are_consistent(market: SimulatedMarket) -> None:
    for instrument in market.instruments:
        c = instrument.candles
        for values in (c.open, c.high, c.low, c.close, c.volume):
            assert values.shape == (market.clock.n_bars,)
            assert np.isfinite(values).all()
            assert (values > 0).all()
        assert (c.low <= np.minimum(c.open, c.close)).all()
        assert (c.high >= np.maximum(c.open, c.close)).all()
        assert (c.high > c.low).mean() > 0.99
        gap = np.abs(np.log(c.open[1:] / c.close[:-1]))
        assert np.median(gap) < 0.1 * np.median(np.abs(np.log(c.close / c.open)))


def test_simulate_market_prices_lie_on_ticks(market: SimulatedMarket) -> None:
    for symbol, decimals in {"BTC/USDT": 1, "LATE/USDT": 5, "GONE/USDT": 10}.items():
        close = named(market, symbol).candles.close
        assert np.array_equal(close, np.round(close, decimals))


def test_simulate_market_longer_history_changes_no_earlier_bar(market: SimulatedMarket) -> None:
    for last in (date(2024, 1, 1), date(2024, 1, 2), date(2024, 2, 7), date(2024, 3, 30)):
        shorter = build(last)
        for left, right in zip(market.instruments, shorter.instruments, strict=True):
            assert same_beginning(left, right, shorter.clock.n_bars), (left.symbol, last)


def test_simulate_market_longer_history_changes_no_earlier_settlement(
    market: SimulatedMarket,
) -> None:
    shorter = build(date(2024, 2, 7))
    long, short = (settlements(m.clock, named(m, "BTC/USDT:USDT")) for m in (market, shorter))
    count = len(short.ts)
    assert np.array_equal(long.ts[:count], short.ts)
    assert long.rates[:count].tobytes() == short.rates.tobytes()
    assert long.marks[:count].tobytes() == short.marks.tobytes()


def test_simulate_market_other_assets_change_no_bar(market: SimulatedMarket) -> None:
    others = build(assets=[ASSETS[2], {"base": "NEW", "first_price": 1}, ASSETS[0]])
    rows = market.clock.n_bars
    for symbol in ("BTC/USDT", "BTC/USDT:USDT", "GONE/USDT", "GONE/USDT:USDT"):
        assert same_beginning(named(market, symbol), named(others, symbol), rows)
    without_spot = build(assets=[{**ASSETS[0], "markets": ["perpetual"]}])
    assert [i.symbol for i in without_spot.instruments] == ["BTC/USDT:USDT"]
    assert same_beginning(named(market, "BTC/USDT:USDT"), without_spot.instruments[0], rows)


def test_simulate_market_another_seed_is_another_market(market: SimulatedMarket) -> None:
    other = build(seed=8)
    assert not same_beginning(market.instruments[0], other.instruments[0], 10)


def test_simulate_market_volatility_is_about_what_was_asked(market: SimulatedMarket) -> None:
    calm = {"market_jumps_per_month": 0, "asset_jumps_per_month": 0, "bursts_per_month": 0}
    found = [
        np.diff(np.log(named(build(seed=seed, shocks=calm), "BTC/USDT").candles.close)).std()
        for seed in range(12)
    ]
    annual = float(np.sqrt(np.mean(np.square(found)) * 105_120))
    assert annual == pytest.approx(np.hypot(0.45, 0.15), rel=0.15)


def test_simulate_market_volatility_clusters_and_tails_are_fat(market: SimulatedMarket) -> None:
    returns = pd.Series(np.diff(np.log(named(market, "BTC/USDT").candles.close)))
    assert returns.kurt() > 3.0
    daily = (returns.abs()).groupby(np.arange(len(returns)) // 288).mean()
    assert daily.autocorr() > 0.3
    assert abs(returns.autocorr()) < 0.05


def test_simulate_market_busy_hours_and_weekdays_trade_more(market: SimulatedMarket) -> None:
    volume = pd.Series(named(market, "BTC/USDT").candles.volume, pd.DatetimeIndex(market.clock.ts))
    hours = volume.groupby(volume.index.hour).median()
    assert hours[15] > 1.3 * hours[3]
    weekend = volume.index.day_of_week >= 5
    assert volume[~weekend].median() > volume[weekend].median()


def test_simulate_market_assets_share_the_common_factor(market: SimulatedMarket) -> None:
    returns = [np.diff(np.log(named(market, s).candles.close)) for s in ("BTC/USDT", "LATE/USDT")]
    expected = 0.45**2 / (np.hypot(0.45, 0.15) * np.hypot(0.45, 0.8))
    assert np.corrcoef(returns)[0, 1] == pytest.approx(expected, abs=0.15)


def test_simulate_market_basis_stays_small_and_reverts(market: SimulatedMarket) -> None:
    spot, perpetual = (named(market, f"BTC/USDT{end}").candles.close for end in ("", ":USDT"))
    basis = pd.Series(np.log(perpetual / spot))
    assert basis.abs().max() < 0.02
    assert basis.autocorr() > 0.9
    assert abs(basis.autocorr(lag=288 * 14)) < 0.5
    assert basis.std() < 0.1 * np.log(spot).std()


def test_planted_shocks_jumps_stand_out_at_their_time(market: SimulatedMarket) -> None:
    shocks = planted_shocks(market)
    assert shocks.equals(shocks.sort_values(["ts", "symbol", "kind"]).reset_index(drop=True))
    jumps = shocks[(shocks["symbol"] == "BTC/USDT") & shocks["kind"].isin(["jump", "market_jump"])]
    assert len(jumps) >= 3
    c = named(market, "BTC/USDT").candles
    rows = np.searchsorted(market.clock.ts, jumps["ts"].to_numpy(dtype="datetime64[us]"))
    assert np.array_equal(market.clock.ts[rows], jumps["ts"].to_numpy(dtype="datetime64[us]"))
    moved = np.log(c.close[rows] / c.open[rows])
    typical = np.median(np.abs(np.log(c.close / c.open)))
    big = np.abs(jumps["size"].to_numpy()) > 10 * typical
    assert big.any()
    np.testing.assert_array_equal(np.sign(moved[big]), np.sign(jumps["size"].to_numpy()[big]))
    assert (jumps["available_at"] - jumps["ts"] == pd.Timedelta(minutes=5)).all()


def test_planted_shocks_only_while_listed(market: SimulatedMarket) -> None:
    shocks = planted_shocks(market)
    late, gone = (shocks[shocks["symbol"].str.startswith(s)]["ts"] for s in ("LATE", "GONE"))
    assert late.min() >= pd.Timestamp("2024-02-10", tz="UTC")
    assert gone.max() < pd.Timestamp("2024-02-21", tz="UTC")


def test_planted_shocks_of_a_calm_market_are_none() -> None:
    calm = {"market_jumps_per_month": 0, "asset_jumps_per_month": 0, "bursts_per_month": 0}
    shocks = planted_shocks(build(date(2024, 1, 3), shocks=calm))
    assert len(shocks) == 0
    assert [str(dtype) for dtype in shocks.dtypes] == [
        "datetime64[us, UTC]", "datetime64[us, UTC]", "str", "str", "float64",
    ]  # fmt: skip


def test_simulate_factor_jump_comes_back_by_the_reversal_share() -> None:
    clock = Clock(FIRST, date(2024, 12, 31), timedelta(minutes=5))
    plain = ShockSettings(bursts_per_month=0, burst_size=1.0, reversal=0.0)
    options = {"annual_volatility": 0.5, "annual_drift": 0.0, "jumps_per_month": 1.0}
    without = simulate_factor(1, "x", clock, FactorParameters(**options, shocks=plain))
    back = plain.model_copy(update={"reversal": 0.3})
    with_it = simulate_factor(1, "x", clock, FactorParameters(**options, shocks=back))
    rows = np.flatnonzero(without.jumps)
    assert len(rows) > 3
    given_back = np.cumsum(without.returns - with_it.returns)
    for row, following in pairwise([*rows.tolist(), clock.n_bars - 1]):
        if following - row > 288:
            change = given_back[following - 1] - given_back[row]
            assert change == pytest.approx(0.3 * without.jumps[row], rel=1e-3)
    assert given_back[rows[0]] == pytest.approx(0.0, abs=1e-15)


def test_simulate_factor_burst_multiplies_volatility_and_decays() -> None:
    clock = Clock(FIRST, date(2024, 12, 31), timedelta(minutes=5))
    options = {"annual_volatility": 0.5, "annual_drift": 0.0, "jumps_per_month": 0.0}
    calm = ShockSettings(bursts_per_month=0)
    quiet = simulate_factor(1, "x", clock, FactorParameters(**options, shocks=calm))
    loud = simulate_factor(
        1, "x", clock, FactorParameters(**options, shocks=ShockSettings(bursts_per_month=1))
    )
    ratio = loud.sigma / quiet.sigma
    row = int(np.flatnonzero(loud.bursts)[0])
    assert ratio[row - 1] == pytest.approx(1.0)
    assert ratio[row] == pytest.approx(1.0 + loud.bursts[row])
    assert 1.5 <= loud.bursts[row] <= 2.5
    assert ratio[row + 24] - 1.0 == pytest.approx((ratio[row] - 1.0) / 2.0, rel=1e-6)


def test_settlements_are_at_00_08_and_16_utc_exactly(market: SimulatedMarket) -> None:
    paid = settlements(market.clock, named(market, "BTC/USDT:USDT"))
    expected = pd.date_range("2024-01-01 08:00", "2024-03-31 16:00", freq="8h", unit="us")
    assert np.array_equal(paid.ts, expected.to_numpy())


def test_settlements_follow_the_listing(market: SimulatedMarket) -> None:
    late = settlements(market.clock, named(market, "LATE/USDT:USDT")).ts
    gone = settlements(market.clock, named(market, "GONE/USDT:USDT")).ts
    assert str(late[0]) == "2024-02-10T08:00:00.000000"
    assert str(gone[-1]) == "2024-02-21T00:00:00.000000"


def test_settlements_rate_is_the_mean_premium_damped_and_cut(market: SimulatedMarket) -> None:
    instrument = named(market, "BTC/USDT:USDT")
    paid = settlements(market.clock, instrument)
    premium = instrument.premium
    assert premium is not None
    for event in range(0, len(paid.ts), 17):
        end = int(np.searchsorted(market.clock.ts, paid.ts[event]))
        mean = float(np.mean(premium[end - 96 : end]))
        rate = mean + min(max(0.0001 - mean, -0.0005), 0.0005)
        assert paid.rates[event] == pytest.approx(min(max(rate, -0.0075), 0.0075), abs=5.1e-9)
        assert paid.marks[event] == instrument.candles.close[end - 1]


def test_settlements_extreme_premium_is_cut_at_75_hundredths_of_a_percent(
    market: SimulatedMarket,
) -> None:
    instrument = named(market, "BTC/USDT:USDT")
    n_bars = market.clock.n_bars
    for premium, rate in ((0.015, 0.0075), (-0.015, -0.0075), (0.0001, 0.0001), (0.0004, 0.0001)):
        extreme = replace(instrument, begin=0, end=n_bars, premium=np.full(n_bars, premium))
        np.testing.assert_allclose(settlements(market.clock, extreme).rates, rate, atol=1e-12)


def test_make_candles_reach_is_that_of_a_brownian_bridge() -> None:
    size, sigma = 200_000, 0.01
    path = np.cumsum(np.random.default_rng(5).standard_normal(size) * sigma) * 0.0
    made = make_candles(
        1,
        "x",
        log_close=path,
        log_start=0.0,
        sigma=np.full(size, sigma),
        quote_volume=np.ones(size),
    )
    # The mean maximum of a bridge from 0 to 0 with deviation s is s * sqrt(pi / 8).
    assert np.log(made.high).mean() == pytest.approx(sigma * np.sqrt(np.pi / 8.0), rel=0.01)
    assert np.log(made.low).mean() == pytest.approx(-sigma * np.sqrt(np.pi / 8.0), rel=0.01)


def test_ticks_never_reach_zero() -> None:
    assert ticks(np.array([1e-9, 0.0123, 1.0]), 2).tolist() == [0.01, 0.01, 1.0]
    assert [decimals_for(v, 6) for v in (42_000.0, 1.0, 0.62, 1e-5, 1e9)] == [1, 5, 6, 10, 0]


def test_clock_position_is_cut_to_the_history() -> None:
    clock = Clock(FIRST, LAST, timedelta(hours=1))
    assert clock.bars_per_day == 24
    assert clock.position(date(2023, 1, 1)) == 0
    assert clock.position(date(2024, 1, 3)) == 48
    assert clock.position(date(2030, 1, 1)) == clock.n_bars == 91 * 24
    assert str(clock.ts[25]) == "2024-01-02T01:00:00.000000"


def test_settings_repeated_asset_and_reversed_listing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\['BTC'\] are listed more than once"):
        SimulatorSettings.model_validate({"assets": [ASSETS[0], ASSETS[0]]})
    with pytest.raises(ValueError, match="last 2024-01-01 lies before first 2024-01-02"):
        SimulatorSettings.model_validate(
            {"assets": [{**ASSETS[0], "first": "2024-01-02", "last": "2024-01-01"}]}
        )
