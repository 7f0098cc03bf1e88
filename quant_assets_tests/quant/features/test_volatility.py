"""Three-month volatility."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.features.volatility import Volatility
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def test_volatility_of_three_returns_by_hand():
    close = 100.0 * np.cumprod([1.0, 1.01, 0.98, 1.04])
    values = Volatility().compute(make_inputs(close, bars_per_year=400))[:, 0]
    mean = 0.03 / 3
    variance = ((0.01 - mean) ** 2 + (-0.02 - mean) ** 2 + (0.04 - mean) ** 2) / 2
    assert np.isnan(values[:3]).all()
    assert values[3] == pytest.approx(20.0 * np.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize(("month_bars", "scale"), [(1, 1.0), (21, 1.0), (7, 1e-8), (7, 1e6)])
def test_volatility_equals_pandas_rolling_std(month_bars, scale):
    inputs = make_inputs(random_closes(200, 4, scale=scale), month_bars=month_bars)
    expected = pd.DataFrame(inputs.returns).rolling(3 * month_bars).std(ddof=1) * np.sqrt(252)
    np.testing.assert_allclose(Volatility().compute(inputs), expected, rtol=1e-9)


def test_volatility_is_missing_while_a_return_of_its_window_is():
    close = random_closes(30, 1)
    close[10] = np.nan
    values = Volatility().compute(make_inputs(close, month_bars=2))[:, 0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [0, 1, 2, 3, 4, 5, *range(10, 17)]


def test_volatility_of_a_constant_price_is_zero():
    values = Volatility().compute(make_inputs(np.full(20, 3.3)))[:, 0]
    assert (values[3:] == 0.0).all()
