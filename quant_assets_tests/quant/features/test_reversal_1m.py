"""One-month reversal."""

import numpy as np
import pytest

from quant_assets.quant.features.reversal_1m import Reversal
from quant_assets_tests.quant.features.arrays import make_inputs


def test_reversal_of_a_fall_is_positive():
    values = Reversal().compute(make_inputs([100.0, 100.0, 90.0, 120.0], month_bars=2))[:, 0]
    assert np.isnan(values[:2]).all()
    assert values[2:].tolist() == [pytest.approx(0.1), pytest.approx(-0.2)]


def test_reversal_is_missing_where_one_of_its_closes_is():
    values = Reversal().compute(make_inputs([100.0, np.nan, 90.0, 120.0], month_bars=2))[:, 0]
    assert np.isnan(values).tolist() == [True, True, False, True]


def test_reversal_is_minus_the_month_return_on_every_price_scale():
    for scale in (1e-8, 1e6):
        values = Reversal().compute(make_inputs([scale, scale * 1.25]))[:, 0]
        assert values[1] == pytest.approx(-0.25, rel=1e-12)
