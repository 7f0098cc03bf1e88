"""Figures of resampled histories: against the histories themselves, in plain numpy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    circular_block_bootstrap,
    stationary_bootstrap,
)
from quant_assets.quant.statistics.monte_carlo import path_figures


def _returns(n_rows=200, seed=0):
    return 0.0005 + 0.01 * np.random.default_rng(seed).normal(size=n_rows)


def _rng():
    return np.random.default_rng(5)


def _plain(histories):
    """The four figures of histories (draw, row)."""
    wealth = np.cumprod(1.0 + histories, axis=1)
    peak = np.maximum.accumulate(np.maximum(wealth, 1.0), axis=1)
    return (
        wealth[:, -1],
        np.log1p(histories).mean(axis=1),
        histories.mean(axis=1) / histories.std(axis=1, ddof=1),
        (wealth / peak - 1.0).min(axis=1).clip(max=0.0),
    )


@pytest.mark.parametrize("block", [1, 7.5])
def test_path_figures_are_those_of_the_stationary_histories(block):
    returns = _returns()
    rows = stationary_bootstrap(200, mean_block=block, n_draws=50, rng=_rng())
    found = path_figures(returns, Resampling(block, 50), _rng())
    for ours, plain in zip(found, _plain(returns[rows]), strict=True):
        assert_allclose(ours, plain, rtol=1e-9, atol=1e-14)


def test_path_figures_are_those_of_the_circular_histories():
    returns = _returns(45)
    rows = circular_block_bootstrap(45, block=6, n_draws=20, rng=_rng())
    found = path_figures(returns, Resampling(6, 20, "circular"), _rng())
    for ours, plain in zip(found, _plain(returns[rows]), strict=True):
        assert_allclose(ours, plain, rtol=1e-9, atol=1e-14)


def test_path_figures_give_the_same_bytes_for_the_same_generator():
    first = path_figures(_returns(), Resampling(5, 30), _rng())
    again = path_figures(_returns(), Resampling(5, 30), _rng())
    other = path_figures(_returns(), Resampling(5, 30), np.random.default_rng(6))
    for ours, same, different in zip(first, again, other, strict=True):
        assert ours.tobytes() == same.tobytes()
        assert (ours != different).any()


def test_path_figures_of_a_constant_have_no_sharpe_ratio():
    found = path_figures(np.full(30, 0.001), Resampling(3, 10), _rng())
    assert np.isnan(found.sharpe).all()
    assert_allclose(found.terminal_wealth, 1.001**30)
    assert_array_equal(found.max_drawdown, 0.0)


@pytest.mark.parametrize("loss", [-1.0, -1.5])
def test_path_figures_after_the_loss_of_everything(loss):
    returns = np.full(4, loss)
    found = path_figures(returns, Resampling(1, 3), _rng())
    assert_array_equal(found.terminal_wealth, 0.0)
    assert_array_equal(found.max_drawdown, -1.0)
    assert_array_equal(found.growth_rate, -np.inf)


def test_path_figures_of_one_row_are_that_row():
    found = path_figures([-0.25], Resampling(1, 4), _rng())
    assert_allclose(found.terminal_wealth, 0.75)
    assert_allclose(found.max_drawdown, -0.25)
    assert np.isnan(found.sharpe).all()


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_path_figures_survive_any_scale(scale):
    returns = np.abs(_returns()) * scale
    found = path_figures(returns, Resampling(2, 10), _rng())
    assert np.isfinite(found.sharpe).all()
    assert np.isfinite(found.growth_rate).all()
    assert_array_equal(found.max_drawdown, 0.0)


@pytest.mark.parametrize("bad", [[], [0.1, np.nan], [np.inf], [[0.1], [0.2]]])
def test_path_figures_refuse_what_is_no_history(bad):
    with pytest.raises(DataError):
        path_figures(bad, Resampling(1, 4), _rng())


def test_path_figures_refuse_blocks_below_one():
    with pytest.raises(ConfigError, match="block"):
        path_figures(_returns(), Resampling(0.5, 4), _rng())
