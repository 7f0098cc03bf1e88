"""Screen `staleness`."""

import numpy as np
import pytest

from quant_assets.quant.discovery.staleness import Staleness
from quant_assets_tests.quant.discovery.inputs import make_inputs

NAN = float("nan")


@pytest.mark.parametrize(
    ("close", "stale"),
    [
        ([1.0, 2.0, 3.0], 0.0),
        ([1.0, 2.0, 2.0], 1.0),
        ([2.0, 2.0, 2.0], 2.0),
        ([1.0, 1.0, 1.0, 1.0, 2.0], 0.0),  # an old run does not count
        ([1.0, 2.0, NAN, NAN], 2.0),  # a missing close is no new price
        ([1.0, 2.0, NAN, 2.0], 2.0),
        ([1.0, 2.0, NAN, 3.0], 0.0),
        ([NAN, NAN, 5.0], 0.0),
        ([7.0], 0.0),
        ([NAN, NAN], NAN),
    ],
)
def test_staleness_counts_the_rows_since_the_last_new_price(close, stale):
    np.testing.assert_array_equal(Staleness().measure(make_inputs(close)), [stale])


def test_staleness_passes_up_to_its_limit():
    screen, inputs = Staleness(), make_inputs([1.0], max_stale_bars=2)
    limit = screen.limit(inputs.parameters)
    values = np.array([0.0, 2.0, 3.0, NAN])
    assert screen.passes(values, limit).tolist() == [True, True, False, False]


def test_staleness_of_no_rows_is_unknown():
    assert np.isnan(Staleness().measure(make_inputs(np.empty((0, 2))))).all()
