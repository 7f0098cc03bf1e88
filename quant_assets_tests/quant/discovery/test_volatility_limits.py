"""Screens `min_volatility` and `max_volatility`."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.discovery.max_volatility import MaxVolatility
from quant_assets.quant.discovery.min_volatility import MinVolatility
from quant_assets_tests.quant.discovery.inputs import make_inputs, random_closes

NAN = float("nan")


def test_volatility_of_three_returns_by_hand():
    inputs = make_inputs(np.ones(4), returns=[NAN, 0.01, 0.03, 0.05], bars_per_year=100)
    for screen in (MinVolatility(), MaxVolatility()):
        np.testing.assert_allclose(screen.measure(inputs), [0.2], rtol=1e-12)


@pytest.mark.parametrize("screen", [MinVolatility(), MaxVolatility()])
def test_volatility_equals_pandas_std_with_gaps(screen):
    close = random_closes(300, 6)
    close[np.random.default_rng(1).random(close.shape) < 0.1] = NAN
    inputs = make_inputs(close)
    expected = pd.DataFrame(inputs.returns.values).std(ddof=1) * np.sqrt(252)
    np.testing.assert_allclose(screen.measure(inputs), expected, rtol=1e-12)


def test_peg_fails_the_minimum_and_a_lottery_ticket_the_maximum():
    returns = np.random.default_rng(0).normal(size=(200, 3)) * [1e-6, 0.01, 0.5]
    inputs = make_inputs(np.ones((200, 3)), returns=returns)
    low, high = MinVolatility(), MaxVolatility()
    passed = low.passes(low.measure(inputs), low.limit(inputs.parameters))
    assert passed.tolist() == [False, True, True]
    passed = high.passes(high.measure(inputs), high.limit(inputs.parameters))
    assert passed.tolist() == [True, True, False]


@pytest.mark.parametrize("screen", [MinVolatility(), MaxVolatility()])
def test_fewer_than_two_returns_are_unknown_and_fail(screen):
    values = screen.measure(make_inputs([1.0, 2.0]))
    assert np.isnan(values).all()
    assert not screen.passes(values, screen.limit(make_inputs([1.0]).parameters)).any()
