"""Twelve-one momentum."""

import numpy as np
import pytest

from quant_assets.quant.features.momentum_12_1 import Momentum
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes


def test_momentum_leaves_the_last_month_out():
    close = np.arange(100.0, 114.0)
    values = Momentum().compute(make_inputs(close))[:, 0]
    assert np.isnan(values[:12]).all()
    assert values[12] == pytest.approx(111.0 / 100.0 - 1.0)
    assert values[13] == pytest.approx(112.0 / 101.0 - 1.0)


def test_momentum_counts_months_in_bars_of_the_venue():
    close = random_closes(40, 3)
    values = Momentum().compute(make_inputs(close, month_bars=3))
    np.testing.assert_allclose(values[36:], close[33:37] / close[:4] - 1.0, rtol=1e-15)
    assert np.isnan(values[:36]).all()


def test_momentum_reads_two_closes_and_no_others():
    close = np.arange(100.0, 114.0)
    close[5] = close[12] = np.nan
    values = Momentum().compute(make_inputs(close))[:, 0]
    assert values[12] == pytest.approx(0.11)
    assert np.isnan(values[13])
    close[0] = np.nan
    assert np.isnan(Momentum().compute(make_inputs(close))[12, 0])


def test_momentum_of_too_short_a_history_is_missing():
    assert np.isnan(Momentum().compute(make_inputs(np.arange(1.0, 13.0)))).all()
