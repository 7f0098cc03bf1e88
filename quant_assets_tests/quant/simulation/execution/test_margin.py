import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.margin.base import MARGIN, MarginModel

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
# maintenance amounts of BTCUSDT as Binance published them with the tiers
AMOUNTS = (0, 50, 1_300, 16_300, 266_300, 1_266_300, 2_516_300, 5_016_300, 25_016_300, 100_016_300)


def model(spelling):
    return plug_in(MARGIN, MarginModel, spelling)


def maintenance(terms, symbol, notional):
    tier = int(np.searchsorted(terms.tier_notional[symbol], notional, side="right")) - 1
    return notional * terms.tier_rate[symbol, tier] - terms.tier_deduction[symbol, tier]


def test_cash_account_lends_nothing_and_asks_for_no_maintenance():
    terms = model("cash_account").terms(("A", "B"))
    assert terms.leverage == 1.0
    assert terms.tier_notional.shape == (2, 0)


def test_leverage_asks_for_a_share_of_the_notional():
    terms = model({"leverage": {"leverage": 4.0, "maintenance": 0.1}}).terms(("A",))
    assert terms.leverage == 4.0
    assert maintenance(terms, 0, 50_000.0) == 5_000.0
    assert model({"leverage": {"maintenance": 0}}).terms(("A",)).tier_rate.shape == (1, 0)


def test_binance_deductions_are_the_published_maintenance_amounts():
    terms = model("binance").terms((BTC,))
    np.testing.assert_allclose(terms.tier_deduction[0], AMOUNTS, rtol=1e-12)


def test_binance_maintenance_is_continuous_at_every_tier():
    terms = model("binance").terms((BTC,))
    for begins in terms.tier_notional[0, 1:]:
        below, above = (maintenance(terms, 0, begins * f) for f in (1.0 - 1e-12, 1.0 + 1e-12))
        assert below == pytest.approx(above, rel=1e-9)


def test_binance_tiers_give_the_liquidation_prices_of_its_own_example():
    # "How to calculate liquidation price of USD-M futures contracts": a wallet of 1,535,443.01 in
    # cross margin holds 3,683.979 ETH from 1,456.84 and 109.488 BTC from 32,481.980, marked at
    # 1,335.18 and 31,967.27. ETH stands in a tier of 10 % with a maintenance amount of 135,365.
    eth = [(0.0, 0.0365), (2_131_732.2834645667, 0.1)]  # any tiers whose deduction is that amount
    terms = model({"binance": {"tiers_of": {ETH: eth}}}).terms((BTC, ETH))
    assert terms.tier_deduction[1, 1] == pytest.approx(135_365.0)
    wallet, size = 1_535_443.01, np.array([109.488, 3_683.979])
    entry, mark = np.array([32_481.980, 1_456.84]), np.array([31_967.27, 1_335.18])

    def short_of_margin(prices):
        equity = wallet + float(size @ (prices - entry))
        return equity - sum(maintenance(terms, s, size[s] * prices[s]) for s in (0, 1))

    def liquidation(symbol):
        low, high = 0.5 * mark[symbol], mark[symbol]
        for _ in range(80):
            middle = 0.5 * (low + high)
            prices = np.where(np.arange(2) == symbol, middle, mark)
            low, high = (middle, high) if short_of_margin(prices) < 0.0 else (low, middle)
        return high

    assert liquidation(1) == pytest.approx(1_153.26, abs=0.01)
    assert liquidation(0) == pytest.approx(26_316.89, abs=0.01)


def test_shorter_ladders_end_with_tiers_that_nothing_reaches():
    terms = model({"binance": {"tiers_of": {ETH: [[0, 0.01]]}}}).terms((BTC, ETH))
    assert np.isinf(terms.tier_notional[1, 1:]).all()
    assert maintenance(terms, 1, 1e12) == pytest.approx(1e10)


def test_inverse_contracts_are_told_by_their_symbol():
    symbols = ("BTC/USD:BTC", BTC, "BTC/USDT", "SPY")
    assert model("binance").terms(symbols).inverse.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ({"leverage": {"leverage": 4.0}}, "maintenance is 0.25 at a leverage of 4"),
        ({"leverage": {"leverage": 0.0}}, "leverage: leverage is 0.0"),
        ({"binance": {"tiers": [[0, 0.01], [0, 0.02]]}}, "tiers is"),
        ({"binance": {"tiers": [[1, 0.01]]}}, "begin at 0"),
        ({"binance": {"tiers": "none"}}, "pairs of notional and rate"),
        ({"binance": {"tiers_of": {BTC: [[0, 1.5]]}}}, f"tiers of {BTC}"),
    ],
)
def test_margin_model_with_a_wrong_parameter_is_refused(spelling, message):
    with pytest.raises(ConfigError, match=message):
        model(spelling)


def test_tiers_of_a_symbol_that_is_not_traded_are_refused():
    with pytest.raises(ConfigError, match="tiers_of names"):
        model({"binance": {"tiers_of": {BTC: [[0, 0.01]]}}}).terms((ETH,))
