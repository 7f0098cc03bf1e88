import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.core.errors import DataError
from quant_assets.quant.statistics.information_coefficient import rank_ic, rank_ic_decay

pytestmark = pytest.mark.slow

NAN = np.nan


@pytest.fixture(scope="module")
def market():
    rng = np.random.default_rng(11)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (40, 23)), axis=0))
    signal = np.round(rng.normal(size=close.shape), 1)
    close[rng.random(close.shape) < 0.05] = NAN
    signal[rng.random(close.shape) < 0.05] = NAN
    return signal, close


def twin(signal, close, horizon, n_quantiles):
    """IC, mean return and size of each quantile, row by row with scipy and pandas."""
    ahead = pd.DataFrame(close).shift(-horizon).to_numpy() / close - 1.0
    ic, means, sizes = [], [], []
    whole = ~np.isnan(signal) & ~np.isnan(ahead)
    for x, y in [(signal[t][row], ahead[t][row]) for t, row in enumerate(whole)]:
        ic.append(stats.spearmanr(x, y).statistic if len(x) > 2 else NAN)
        quantile = np.floor((stats.rankdata(x) - 1) * n_quantiles / max(len(x), 1))
        means.append([y[quantile == q].mean() if (quantile == q).any() else NAN
                      for q in range(n_quantiles)])  # fmt: skip
        sizes.append([(quantile == q).sum() for q in range(n_quantiles)])
    return np.array(ic), np.array(means), np.array(sizes)


@pytest.mark.parametrize("n_quantiles", [1, 3, 5])
def test_rank_ic_decay_with_holes_and_ties_equals_scipy(market, n_quantiles):
    result = rank_ic_decay(*market, (1, 4), n_quantiles=n_quantiles)
    for at, horizon in enumerate((1, 4)):
        ic, means, sizes = twin(*market, horizon, n_quantiles)
        np.testing.assert_allclose(result.ic[at], ic, rtol=0, atol=1e-14)
        np.testing.assert_allclose(result.quantile_returns[at], means, rtol=1e-12, atol=1e-16)
        np.testing.assert_array_equal(result.quantile_counts[at], sizes)


def test_rank_ic_decay_by_hand():
    signal = [[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 2.0, 2.0]]
    close = [[10.0, 10.0, 10.0, 10.0], [11.0, 10.0, 12.0, 13.0], [11.0, 11.0, 12.0, 26.0]]
    result = rank_ic_decay(signal, close, [1], n_quantiles=2)
    # row 0 earns 0.1 0 0.2 0.3: ranks 2 1 3 4 against 1 2 3 4, 1 - 6 * 2 / (4 * 15) = 0.8
    assert result.ic[0, 0] == pytest.approx(0.8)
    # row 1 earns 0 0.1 0 1: ranks 1.5 3 1.5 4 against 4 3 2 1
    assert result.ic[0, 1] == pytest.approx(stats.pearsonr([1.5, 3, 1.5, 4], [4, 3, 2, 1])[0])
    assert np.isnan(result.ic[0, 2])  # nothing follows the last row
    np.testing.assert_allclose(result.quantile_returns[0, 0], [0.05, 0.25])
    np.testing.assert_allclose(result.quantile_returns[0, 1], [0.5, 0.05])
    np.testing.assert_allclose(result.spread[0, :2], [0.2, -0.45])
    np.testing.assert_allclose(result.pooled_quantile_returns, [[0.275, 0.15]])
    np.testing.assert_allclose(result.mean_ic, [(0.8 + result.ic[0, 1]) / 2])


def test_rank_ic_decay_reads_no_row_beyond_its_horizon(market):
    signal, close = market
    whole, cut = rank_ic_decay(signal, close, [3]), rank_ic_decay(signal[:30], close[:30], [3])
    np.testing.assert_array_equal(cut.ic[0, :27], whole.ic[0, :27])
    assert np.isnan(cut.ic[0, 27:]).all()


def test_rank_ic_decay_takes_infinite_values_for_unknown(market):
    signal, close = (values.copy() for values in market)
    close[5, 3], signal[7, 2] = 0.0, np.inf
    result = rank_ic_decay(signal, close, [1])
    close[5, 3], signal[7, 2] = NAN, NAN
    # a price of 0 can be reached (-100 %) but not left
    expected = rank_ic_decay(signal, close, [1])
    np.testing.assert_array_equal(result.ic[0, 5:], expected.ic[0, 5:])
    assert result.quantile_counts[0, 4].sum() >= expected.quantile_counts[0, 4].sum()


def test_rank_ic_decay_of_permuted_symbols_is_the_same(market):
    order = np.random.default_rng(0).permutation(23)
    signal, close = market
    first, second = (rank_ic_decay(signal[:, o], close[:, o], [1, 2]) for o in (slice(None), order))
    np.testing.assert_array_equal(first.ic, second.ic)
    np.testing.assert_allclose(first.quantile_returns, second.quantile_returns, rtol=1e-12)


def test_rank_ic_decay_without_rows_or_evidence_is_empty_or_nan():
    assert rank_ic_decay(np.empty((0, 3)), np.empty((0, 3)), [1]).ic.shape == (1, 0)
    nothing = rank_ic_decay(np.full((4, 3), NAN), np.ones((4, 3)), [1])
    assert np.isnan(nothing.ic).all()
    assert np.isnan(nothing.mean_ic).all()
    assert np.isnan(nothing.pooled_quantile_returns).all()


def test_rank_ic_of_given_returns_equals_scipy_row_by_row():
    x, y = np.random.default_rng(4).normal(size=(2, 5, 30))
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(rank_ic(x, y), expected, atol=1e-14)


@pytest.mark.parametrize("horizons", [[], [0], [1, -1]])
def test_rank_ic_decay_refuses_horizons_that_look_back(market, horizons):
    with pytest.raises(DataError, match="at least one horizon"):
        rank_ic_decay(*market, horizons)


def test_rank_ic_decay_refuses_arrays_that_do_not_match(market):
    signal, close = market
    with pytest.raises(DataError, match=r"\(40, 23\), close \(39, 23\)"):
        rank_ic_decay(signal, close[1:], [1])
    with pytest.raises(DataError, match="1 axes"):
        rank_ic_decay(signal[0], close[0], [1])
