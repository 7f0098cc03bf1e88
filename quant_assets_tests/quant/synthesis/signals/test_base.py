import numpy as np
import pytest

from quant_assets.quant.synthesis.signals.base import centred_ranks

NAN = np.nan


def test_centred_ranks_by_hand():
    np.testing.assert_allclose(centred_ranks(np.array([3.0, NAN, 1.0])), [0.5, NAN, -0.5])


@pytest.mark.parametrize("scale", [1e6, 1.0, 1e-8])
def test_centred_ranks_tie_what_only_rounding_separates(scale):
    values = np.array([0.1 + 0.2, 0.3, 0.5]) * scale
    np.testing.assert_allclose(centred_ranks(values), [-1 / 3, -1 / 3, 2 / 3])


@pytest.mark.parametrize("values", [np.zeros(3), np.full(3, 0.7), np.array([5.0])])
def test_centred_ranks_of_equal_values_are_neutral(values):
    np.testing.assert_array_equal(centred_ranks(values), np.zeros(len(values)))


def test_centred_ranks_of_nan_are_nan():
    assert np.isnan(centred_ranks(np.full(3, NAN))).all()
