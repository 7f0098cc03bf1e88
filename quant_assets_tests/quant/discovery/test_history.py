"""Screen `history`."""

import numpy as np

from quant_assets.quant.discovery.history import MinHistory
from quant_assets_tests.quant.discovery.inputs import make_inputs


def test_history_counts_closes_and_no_gaps():
    close = np.ones((5, 3))
    close[1, 1] = np.nan
    close[:, 2] = np.nan
    inputs, screen = make_inputs(close, min_history_bars=5), MinHistory()
    values = screen.measure(inputs)
    assert values.tolist() == [5.0, 4.0, 0.0]
    assert screen.limit(inputs.parameters) == 5.0
    assert screen.passes(values, 5.0).tolist() == [True, False, False]
