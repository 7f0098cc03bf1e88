"""What every screen must do, whoever wrote it; found by discovery."""

import re
from dataclasses import replace

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.quant.discovery.base import Screen
from quant_assets.quant.discovery.candidates import SCREENS_PACKAGE, judge
from quant_assets.quant.market.panel import Panel
from quant_assets_tests.quant.discovery.inputs import make_inputs, random_closes

pytestmark = pytest.mark.slow

SCREENS = discover(SCREENS_PACKAGE, Screen)
N_SYMBOLS = 7
every_screen = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS.keys())


def messy_inputs(*, seed=0):
    """Random walks with gaps, a flat, an absent, a late, a dead and a doubled line."""
    generator = np.random.default_rng(seed)
    close = random_closes(80, N_SYMBOLS, seed=seed)
    close[generator.random(close.shape) < 0.02] = np.nan
    close[:, 1] = 3.0
    close[:, 2] = np.nan
    close[:60, 3] = np.nan
    close[50:, 4] = np.nan
    close[:, 6] = close[:, 5] * 2.0
    volume = generator.lognormal(5.0, 1.0, close.shape)
    listed = [True, True, False, True, False, True, True]
    rules = {"min_history_bars": 30, "min_dollar_volume": 1.0}
    return make_inputs(close, volume=volume, listed=listed, **rules)


def permuted(inputs, order):
    symbols = tuple(inputs.close.symbols[column] for column in order)

    def move(panel):
        return Panel(np.ascontiguousarray(panel.values[:, order]), panel.ts, symbols)

    return replace(
        inputs,
        close=move(inputs.close),
        returns=move(inputs.returns),
        volume=move(inputs.volume),
        listed=inputs.listed[order],
        eligible=inputs.eligible[order],
    )


@every_screen
def test_screen_gives_one_finite_or_missing_value_per_symbol(screen):
    values = screen().measure(messy_inputs())
    assert values.shape == (N_SYMBOLS,)
    assert values.dtype == np.float64
    assert not np.isinf(values).any()


@every_screen
def test_screen_limit_is_a_finite_number_and_passes_are_booleans(screen):
    inputs = messy_inputs()
    limit = screen().limit(inputs.parameters)
    assert isinstance(limit, float)
    assert np.isfinite(limit)
    passed = screen().passes(screen().measure(inputs), limit)
    assert passed.shape == (N_SYMBOLS,)
    assert passed.dtype == bool


@every_screen
def test_missing_value_passes_only_where_the_screen_says_so(screen):
    nothing = np.full(3, np.nan)
    limit = screen().limit(messy_inputs().parameters)
    assert screen().passes(nothing, limit).tolist() == [screen.nan_passes] * 3


@every_screen
def test_value_at_the_limit_passes(screen):
    limit = screen().limit(messy_inputs().parameters)
    assert screen().passes(np.array([limit]), limit).all()


@every_screen
def test_screen_gives_the_same_bytes_twice_and_leaves_its_inputs_alone(screen):
    inputs, pristine = messy_inputs(), messy_inputs()
    first, second = screen().measure(inputs), screen().measure(inputs)
    assert first.tobytes() == second.tobytes()
    for name in ("close", "returns", "volume"):
        np.testing.assert_array_equal(getattr(inputs, name).values, getattr(pristine, name).values)
    np.testing.assert_array_equal(inputs.listed, pristine.listed)


@every_screen
def test_permuting_symbols_permutes_the_values(screen):
    inputs, order = messy_inputs(), np.array([4, 2, 6, 0, 1, 5, 3])
    expected = screen().measure(inputs)[order]
    np.testing.assert_allclose(screen().measure(permuted(inputs, order)), expected, rtol=1e-12)


@every_screen
@pytest.mark.parametrize("n_times", [0, 1, 2])
def test_screen_survives_almost_no_history(screen, n_times):
    values = screen().measure(make_inputs(random_closes(n_times, 3)))
    assert values.shape == (3,)
    assert not np.isinf(values).any()


@every_screen
def test_screen_name_is_plain(screen):
    assert re.fullmatch(r"[a-z0-9_]+", screen.name)


def test_relative_screens_see_who_passed_all_others():
    verdicts = judge(messy_inputs())
    assert list(verdicts) == sorted(SCREENS)
    assert verdicts["listed"].passed.tolist() == [True, True, False, True, False, True, True]
    assert verdicts["duplicates"].measured[6] == 1.0
    assert verdicts["duplicates"].passed.tolist() == [True] * 6 + [False]
