import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.fx.base import FX, FxModel
from quant_assets.quant.simulation.execution.instruments.base import INSTRUMENTS, InstrumentModel
from quant_assets.quant.strategies.classic.buy_and_hold import BuyAndHold
from quant_assets_tests.quant.simulation.execution.bar_samples import flat_bars

pytestmark = pytest.mark.slow

SYMBOLS = ("BTC/EUR", "ETH/USD", "SAP", "TM")


def fx(**parameters):
    return plug_in(FX, FxModel, {"as_of": parameters})


def rate_frame(pair, values, *, known_after="1h", start="2023-12-28"):
    ts = pd.date_range(start, periods=len(values), freq="D", tz="UTC").as_unit("us")
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + pd.Timedelta(known_after),
            "symbol": pair,
            "rate": np.array(values, dtype=np.float64),
        }
    )


def test_rates_are_the_latest_known_when_the_bar_opens():
    bars = flat_bars(6, SYMBOLS)
    values = 1.05 + 0.01 * np.arange(10)
    rates = pd.concat([rate_frame("EUR/USD", values), rate_frame("USD/JPY", 140.0 + values)])
    found = fx(currencies={"SAP": "EUR", "TM": "JPY"}).rates(bars, rates)
    # a rate of midnight that is known at one o'clock serves the bar that opens a day later
    expected = pd.merge_asof(
        pd.DataFrame({"ts": pd.DatetimeIndex(bars.ts, tz="UTC")}),
        rate_frame("EUR/USD", values)[["available_at", "rate"]],
        left_on="ts",
        right_on="available_at",
    )["rate"].to_numpy()
    np.testing.assert_array_equal(found[:, 0], expected)
    np.testing.assert_array_equal(found[:, 1], 1.0)
    np.testing.assert_array_equal(found[:, 2], expected)
    np.testing.assert_allclose(found[:, 3], 1.0 / (140.0 + expected))


def test_contracts_count_in_what_they_settle_in():
    model = fx(account="USDT")
    names = ("BTC/USD:BTC", "BTC/USD:BTC-250328", "BTC/USDT:USDT", "ETH/EUR", "SAP")
    assert [model.currency_of(name) for name in names] == ["BTC", "BTC", "USDT", "EUR", "USDT"]
    coin = flat_bars(4, names[:1])
    found = model.rates(coin, rate_frame("BTC/USDT", 50_000.0 + np.arange(10), known_after="0h"))
    np.testing.assert_array_equal(found[:, 0], 50_004.0 + np.arange(4))


def test_profits_of_several_currencies_are_said_to_be_one():
    plain = plug_in(FX, FxModel, "none")
    (line,) = plain.doubts(("BTC/USD:BTC", "BTC/USDT:USDT", "SAP"))
    assert line.startswith("CURRENCIES: profits in BTC, USDT are added up")
    assert plain.doubts(("ETH/USDT", "BTC/USDT:USDT", "SAP")) == () == fx().doubts(SYMBOLS)
    loose = backtest(BuyAndHold(), flat_bars(4, ("BTC/EUR", "ETH/USD")), {"fx_model": "none"})
    assert any(line.startswith("CURRENCIES: profits in EUR, USD") for line in loose.assumptions)


def test_a_rate_of_the_bars_own_open_counts_and_a_later_one_never_does():
    bars = flat_bars(4, ("BTC/EUR",))
    rates = rate_frame("EUR/USD", np.arange(1.0, 9.0), known_after="0h")
    whole = fx().rates(bars, rates)
    np.testing.assert_array_equal(whole[:, 0], [5.0, 6.0, 7.0, 8.0])
    later = rates.assign(rate=np.where(rates.index > 5, 99.0, rates["rate"]))
    np.testing.assert_array_equal(fx().rates(bars, later)[:2], whole[:2])


def test_a_missing_or_old_rate_is_an_error_that_says_when():
    bars = flat_bars(4, ("BTC/EUR",))
    with pytest.raises(DataError, match="neither EUR/USD nor USD/EUR"):
        fx().rates(bars, rate_frame("GBP/USD", [1.0]))
    with pytest.raises(DataError, match="no rates of"):
        fx().rates(bars, None)
    with pytest.raises(DataError, match="2024-01-02T00"):
        fx(max_age_days=3).rates(bars, rate_frame("EUR/USD", [1.1, 1.1]))
    with pytest.raises(DataError, match="above 0"):
        fx().rates(bars, rate_frame("EUR/USD", [1.1, 1.1, 1.1, 0.0, 1.1]))


def test_one_currency_needs_no_rates():
    bars = flat_bars(3, ("ETH/USD", "SPY"))
    for model in (fx(), plug_in(FX, FxModel, "none")):
        np.testing.assert_array_equal(model.rates(bars, None), [[1.0, 1.0]])


def test_currencies_are_told_by_symbol_or_by_name():
    model = fx(account="EUR", currencies={"TM": "JPY"})
    names = ("BTC/USDT:USDT", "ETH/EUR", "SAP", "TM")
    assert [model.currency_of(name) for name in names] == ["USDT", "EUR", "EUR", "JPY"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"account": ""}, "account is ''"),
        ({"currencies": {"SAP": 1}}, "currencies is"),
        ({"max_age_days": 0}, "max_age_days is 0"),
    ],
)
def test_conversion_with_a_wrong_parameter_is_refused(parameters, message):
    with pytest.raises(ConfigError, match=message):
        fx(**parameters)


def test_lots_are_those_of_all_or_of_the_symbol():
    own = {"BTC": {"lot": 0.001, "tick": 0.1, "least_notional": 100.0}, "ES": {"multiplier": 50}}
    model = plug_in(INSTRUMENTS, InstrumentModel, {"grid": {"tick": 0.01, "by_symbol": own}})
    found = model.lots(("AAPL", "BTC", "ES"))
    np.testing.assert_array_equal(found.lot, [1.0, 0.001, 1.0])
    np.testing.assert_array_equal(found.tick, [0.01, 0.1, 0.01])
    np.testing.assert_array_equal(found.least_notional, [0.0, 100.0, 0.0])
    np.testing.assert_array_equal(found.multiplier, [1.0, 1.0, 50.0])
    plain = plug_in(INSTRUMENTS, InstrumentModel, "fractional").lots(("A",))
    assert [values[0] for values in plain] == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lot": -1}, "lot is -1"),
        ({"by_symbol": {"A": {"lots": 1.0}}}, "A has"),
        ({"by_symbol": {"A": {"multiplier": 0.0}}}, "multiplier is 0.0"),
        ({"by_symbol": {"B": {"lot": 1.0}}}, "by_symbol names"),
    ],
)
def test_lots_with_a_wrong_parameter_are_refused(parameters, message):
    with pytest.raises(ConfigError, match=message):
        plug_in(INSTRUMENTS, InstrumentModel, {"grid": parameters}).lots(("A",))
