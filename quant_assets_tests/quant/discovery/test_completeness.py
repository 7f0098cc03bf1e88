"""Screen `completeness`."""

import numpy as np

from quant_assets.quant.discovery.completeness import Completeness
from quant_assets_tests.quant.discovery.inputs import make_inputs

NAN = float("nan")


def test_completeness_counts_from_the_first_close_to_the_end():
    close = np.ones((10, 4))
    close[:6, 1] = NAN  # listed late: complete since
    close[4, 2] = NAN  # one gap in ten
    close[5:, 3] = NAN  # gone after half
    inputs, screen = make_inputs(close, min_completeness=0.9), Completeness()
    values = screen.measure(inputs)
    np.testing.assert_allclose(values, [1.0, 1.0, 0.9, 0.5])
    assert screen.passes(values, screen.limit(inputs.parameters)).tolist() == [True] * 3 + [False]


def test_completeness_of_a_symbol_without_closes_is_unknown_and_fails():
    screen = Completeness()
    values = screen.measure(make_inputs(np.full((3, 1), NAN)))
    assert np.isnan(values).all()
    assert not screen.passes(values, 0.0).any()
    assert np.isnan(screen.measure(make_inputs(np.empty((0, 2))))).all()
