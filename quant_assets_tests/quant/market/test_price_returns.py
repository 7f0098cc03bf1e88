"""Returns of price arrays against pandas and against arithmetic with fifty digits."""

from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.core.errors import DataError
from quant_assets.quant import analytics
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.price_returns import log_returns, simple_returns
from quant_assets.quant.market.returns import simple_returns as panel_returns


@pytest.fixture
def prices():
    rng = np.random.default_rng(0)
    walk = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (60, 4)), axis=0))
    walk[10, 0] = walk[0, 1] = walk[-1, 2] = np.nan
    walk[:, 3] *= [1e6] * 30 + [1e-8] * 30
    return walk


def test_simple_returns_equal_pandas_pct_change(prices):
    expected = pd.DataFrame(prices).pct_change().to_numpy()
    np.testing.assert_allclose(simple_returns(prices), expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(simple_returns(prices[:, 0]), simple_returns(prices)[:, 0])


def test_simple_returns_equal_those_of_panels(prices):
    ts = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC")
    panel = Panel(prices, ts, ("A", "B", "C", "D"))
    np.testing.assert_array_equal(simple_returns(prices), panel_returns(panel))


def fifty_digits(before, after):
    with localcontext() as context:
        context.prec = 50
        return float((Decimal(after) / Decimal(before)).ln())


@given(st.floats(1e-8, 1e6), st.floats(1e-8, 1e6) | st.floats(-1e-6, 1e-6))
def test_log_returns_equal_fifty_digits(before, move):
    after = move if move >= 1e-8 else before * (1.0 + move)  # a jump, or a small move
    found = log_returns([before, after])
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(fifty_digits(before, after), rel=4e-15, abs=1e-300)


def test_log_returns_miss_what_simple_returns_miss(prices):
    np.testing.assert_array_equal(np.isnan(log_returns(prices)), np.isnan(simple_returns(prices)))
    usual = prices[:, :3]  # a fall by 14 digits leaves none in a simple return
    expected = np.log1p(simple_returns(usual))
    np.testing.assert_allclose(log_returns(usual), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("returns", [simple_returns, log_returns])
def test_returns_of_too_few_rows_are_missing(returns):
    assert np.isnan(returns([3.0])).all()
    assert returns([]).shape == (0,)
    assert returns(np.empty((0, 3))).shape == (0, 3)
    assert np.isnan(returns(np.full((5, 2), np.nan))).all()
    assert returns(np.full(3, 7.0))[1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("returns", [simple_returns, log_returns])
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.inf, -np.inf])
def test_returns_of_impossible_prices_are_refused_with_their_place(returns, wrong):
    with pytest.raises(DataError, match=r"prices\[1, 0\] is"):
        returns([[1.0, 2.0], [wrong, 2.0]])
    with pytest.raises(DataError, match=r"shape \(1, 1, 1\)"):
        returns([[[1.0]]])


def test_analytics_offers_both():
    assert analytics.log_returns is log_returns
    assert analytics.simple_returns is simple_returns
