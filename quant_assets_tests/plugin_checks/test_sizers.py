"""What every sizer must do, whoever wrote it; found by discovery."""

import re
from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.sizing.base import sizers

pytestmark = pytest.mark.slow

SIZERS = sizers()
SIDES = np.array([1.0, -1.0, 0.0, 1.0, -1.0, 1.0])
NAN = np.nan
every_sizer = pytest.mark.parametrize("kind", SIZERS.values(), ids=SIZERS.keys())


def make(kind, **parameters):
    required = {"periods_per_year": 252.0} if "periods_per_year" in named(kind) else {}
    return kind(**{**required, **parameters})


def named(kind):
    return {field.name for field in fields(kind)}


def past_returns(rows=60, seed=0):
    """Correlated names of different volatility that earn on their sides."""
    rng = np.random.default_rng(seed)
    market = rng.normal(size=(rows, 1))
    noise = rng.normal(size=(rows, len(SIDES)))
    scale = np.array([0.01, 0.02, 0.015, 0.03, 0.005, 0.01])
    return scale * (0.5 * market + noise + 0.4 * SIDES)


@every_sizer
def test_sizer_keeps_its_limit_its_sides_and_its_types(kind):
    for limit in (0.2, 1.0, 3.0):
        weights = make(kind, max_leverage=limit).weights(SIDES, past_returns())
        assert weights.shape == SIDES.shape
        assert weights.dtype == np.float64
        assert np.abs(weights).sum() <= limit * (1 + 1e-12)
        assert (weights * SIDES >= 0.0).all()
        assert not np.signbit(weights[SIDES >= 0.0]).any()
        assert weights[2] == 0.0
        assert np.abs(weights).sum() > 0.0


@every_sizer
def test_sizer_gives_the_same_bytes_twice_and_leaves_its_inputs_alone(kind):
    sides, past = SIDES.copy(), past_returns()
    first, second = make(kind).weights(sides, past), make(kind).weights(sides, past)
    assert first.tobytes() == second.tobytes()
    assert_array_equal(sides, SIDES)
    assert_array_equal(past, past_returns())


@every_sizer
def test_permuting_names_permutes_the_weights(kind):
    order, past = np.array([4, 2, 0, 5, 1, 3]), past_returns()
    moved = make(kind).weights(SIDES[order], past[:, order])
    assert_allclose(moved, make(kind).weights(SIDES, past)[order], rtol=1e-8, atol=1e-12)


@every_sizer
def test_turning_all_sides_and_returns_round_turns_the_weights_round(kind):
    plain = make(kind).weights(SIDES, past_returns())
    assert_allclose(make(kind).weights(-SIDES, -past_returns()), -plain, rtol=1e-9, atol=1e-15)


@every_sizer
def test_what_is_not_held_has_no_influence(kind):
    past = past_returns()
    other = past.copy()
    other[:, 2] = NAN
    assert_array_equal(make(kind).weights(SIDES, past), make(kind).weights(SIDES, other))


@every_sizer
def test_weights_over_time_see_no_later_row_and_only_the_lookback(kind):
    past, cut, lookback = past_returns(40), 30, 25
    sides = np.tile(SIDES, (40, 1))
    plain = make(kind).weights_over_time(sides, past, lookback=lookback)
    assert plain.shape == past.shape
    assert_array_equal(plain[cut], make(kind).weights(SIDES, past[cut + 1 - lookback : cut + 1]))
    noisy = past.copy()
    noisy[cut:] = past_returns(10, seed=9)
    noisy[: cut - lookback] = NAN
    again = make(kind).weights_over_time(sides, noisy, lookback=lookback)
    assert_array_equal(again[cut - 1], plain[cut - 1])


@every_sizer
def test_names_of_unknown_risk_get_nothing(kind):
    past, sizer = past_returns(), make(kind)
    past[:, 0] = 0.001
    past[:-5, 1] = NAN
    past[:, 3] = NAN
    if sizer.least_rows > 0:
        weights = sizer.weights(SIDES, past)
        assert_array_equal(weights[[0, 1, 3]], 0.0)
        assert np.abs(weights[[4, 5]]).sum() > 0.0
        assert_array_equal(sizer.weights(SIDES, past[:1]), 0.0)
    else:
        assert_array_equal(sizer.weights(SIDES, past), sizer.weights(SIDES, past_returns()))


@every_sizer
@pytest.mark.parametrize("n_rows", [0, 1, 2])
def test_sizer_survives_almost_no_history(kind, n_rows):
    assert np.isfinite(make(kind).weights(SIDES, past_returns()[:n_rows])).all()


@every_sizer
def test_one_missing_return_leaves_its_row_out(kind):
    past = past_returns()
    past[20, 3] = NAN
    expected = make(kind).weights(SIDES, np.delete(past, 20, axis=0))
    assert_array_equal(make(kind).weights(SIDES, past), expected)


@every_sizer
def test_nothing_held_is_nothing_sized(kind):
    assert_array_equal(make(kind).weights(np.zeros(6), past_returns()), 0.0)


@every_sizer
@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_sizer_survives_returns_of_any_scale(kind, scale):
    weights = make(kind).weights(SIDES, past_returns() * scale)
    assert np.isfinite(weights).all()
    assert np.abs(weights).sum() <= 1 + 1e-12


@every_sizer
def test_sizer_refuses_what_it_cannot_mean(kind):
    past, sizer = past_returns(), make(kind)
    endless = past.copy()
    endless[3, 1] = np.inf
    with pytest.raises(DataError, match=r"returns\[3, 1\] is inf"):
        sizer.weights(SIDES, endless)
    with pytest.raises(DataError, match=r"not 1, 0 or -1; the first is 0\.5"):
        sizer.weights(SIDES * 0.5, past)
    with pytest.raises(DataError, match="not 1, 0 or -1; the first is nan"):
        sizer.weights(SIDES * NAN, past)
    with pytest.raises(DataError, match="shape"):
        sizer.weights(SIDES[:3], past)
    with pytest.raises(ConfigError, match="lookback is 0"):
        sizer.weights_over_time(np.tile(SIDES, (60, 1)), past, lookback=0)
    for bad in (0.0, -1.0, NAN, np.inf):
        with pytest.raises(ConfigError, match="max_leverage"):
            make(kind, max_leverage=bad)


@every_sizer
def test_sizer_refuses_numbers_that_are_not_above_zero(kind):
    for name in named(kind) & {"fraction", "target", "periods_per_year"}:
        with pytest.raises(ConfigError, match=name):
            make(kind, **{name: 0.0})


@every_sizer
def test_sizer_name_is_plain(kind):
    assert re.fullmatch(r"[a-z0-9_]+", kind.name)
