"""Screen `dollar_volume`."""

import numpy as np

from quant_assets.quant.discovery.dollar_volume import DollarVolume
from quant_assets_tests.quant.discovery.inputs import make_inputs

NAN = float("nan")


def judge(inputs):
    screen = DollarVolume()
    values = screen.measure(inputs)
    return values, screen.passes(values, screen.limit(inputs.parameters)).tolist()


def test_dollar_volume_is_the_median_over_bars_that_have_both():
    close = np.array([[10.0, 10.0], [20.0, NAN], [30.0, 30.0]])
    volume = np.array([[1.0, 1.0], [5.0, 0.0], [1.0, NAN]])
    values, passed = judge(make_inputs(close, volume=volume, min_dollar_volume=20.0))
    assert values.tolist() == [30.0, 10.0]
    assert passed == [True, False]


def test_gap_rows_with_volume_zero_do_not_lower_the_median():
    close, volume = np.array([10.0, NAN, NAN, NAN, 10.0]), np.array([2.0, 0.0, 0.0, 0.0, 4.0])
    assert judge(make_inputs(close, volume=volume, min_dollar_volume=1.0))[0].tolist() == [30.0]


def test_rule_does_not_apply_without_volume_or_limit():
    for inputs in (
        make_inputs(np.ones(3), has_volume=False, min_dollar_volume=1e9),
        make_inputs(np.ones(3), min_dollar_volume=0.0),
    ):
        values, passed = judge(inputs)
        assert np.isnan(values).all()
        assert passed == [True]


def test_symbol_without_volume_on_a_venue_that_has_it_fails_with_zero():
    values, passed = judge(make_inputs(np.ones(3), volume=[NAN] * 3, min_dollar_volume=1.0))
    assert values.tolist() == [0.0]
    assert passed == [False]
