"""Every figure by hand, against empyrical and scipy, and at the edges."""

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import metrics

pytestmark = pytest.mark.slow

PPY = 252
NAN = float("nan")
CLOSE = {"rel": 1e-9, "abs": 1e-15}


def sample(seed, n=500, mean=4e-4, scale=1e-2):
    return np.random.default_rng(seed).standard_t(4, n) * scale + mean


ORACLES = {
    "total_return": (metrics.total_return, empyrical.cum_returns_final),
    "cagr": (lambda r: metrics.cagr(r, PPY), lambda r: empyrical.cagr(r, annualization=PPY)),
    "annual_volatility": (
        lambda r: metrics.annual_volatility(r, PPY),
        lambda r: empyrical.annual_volatility(r, annualization=PPY),
    ),
    "sharpe_ratio": (
        lambda r: metrics.sharpe_ratio(r, PPY, 0.03),
        lambda r: empyrical.sharpe_ratio(r, 1.03 ** (1 / PPY) - 1, annualization=PPY),
    ),
    "sortino_ratio": (
        lambda r: metrics.sortino_ratio(r, PPY, 1e-4),
        lambda r: empyrical.sortino_ratio(r, 1e-4, annualization=PPY),
    ),
    "max_drawdown": (metrics.max_drawdown, empyrical.max_drawdown),
    "calmar_ratio": (
        lambda r: metrics.calmar_ratio(r, PPY),
        lambda r: empyrical.calmar_ratio(r, annualization=PPY),
    ),
    "omega_ratio": (metrics.omega_ratio, empyrical.omega_ratio),
    "tail_ratio": (metrics.tail_ratio, empyrical.tail_ratio),
    "value_at_risk": (metrics.value_at_risk, empyrical.value_at_risk),
    "conditional_value_at_risk": (
        metrics.conditional_value_at_risk,
        empyrical.conditional_value_at_risk,
    ),
    "skewness": (metrics.skewness, stats.skew),
    "kurtosis": (metrics.kurtosis, stats.kurtosis),
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1e-8, 1e-2])
def test_figure_equals_its_oracle(name, seed, scale):
    ours, oracle = ORACLES[name]
    returns = sample(seed, scale=scale, mean=0.04 * scale)
    if name in {"sortino_ratio", "sharpe_ratio"} and scale < 1e-4:
        returns = returns + 1e-4
    # empyrical compounds 1 + r, which has only eight digits left of returns of 1e-8
    tolerance = 1e-7 if scale < 1e-4 and name == "calmar_ratio" else 1e-9
    assert ours(returns) == pytest.approx(float(oracle(returns)), rel=tolerance, abs=1e-15)


@pytest.mark.parametrize("name", ORACLES)
def test_figure_of_a_matrix_is_the_figure_of_each_column(name):
    ours, _ = ORACLES[name]
    matrix = np.column_stack([sample(4), sample(5), sample(4)])
    together = ours(matrix)
    assert isinstance(together, np.ndarray)
    assert together.tolist() == pytest.approx([ours(column) for column in matrix.T], rel=1e-12)
    assert together[0] == pytest.approx(together[2], rel=1e-12)


@pytest.mark.parametrize("name", ORACLES)
def test_nan_rows_are_left_out(name):
    ours, _ = ORACLES[name]
    returns = sample(6, 60)
    holes = np.insert(returns, [0, 10, 60], NAN)
    assert ours(holes) == pytest.approx(ours(returns), rel=1e-12)


@pytest.mark.parametrize("name", [n for n in ORACLES if n != "total_return"])
@pytest.mark.parametrize("returns", [np.array([]), np.full(3, NAN)])
def test_figure_without_rows_is_nan(name, returns):
    assert np.isnan(ORACLES[name][0](returns))


def test_total_return_without_rows_is_zero():
    assert metrics.total_return(np.array([])) == 0.0


def test_sharpe_ratio_by_hand():
    # mean 0.02, deviations -0.01, 0, 0.01 -> ddof 1 std 0.01; sqrt(4) = 2
    assert metrics.sharpe_ratio(np.array([0.01, 0.02, 0.03]), 4) == pytest.approx(4.0, **CLOSE)


def test_sharpe_ratio_takes_a_risk_free_series_row_by_row():
    returns, free = sample(1, 50), np.linspace(0, 1e-4, 50)
    expected = metrics.sharpe_ratio(returns - free, PPY)
    assert metrics.sharpe_ratio(returns, PPY, free) == pytest.approx(expected, **CLOSE)


def test_sharpe_ratio_converts_a_yearly_rate_geometrically():
    returns = sample(2, 50)
    free = np.full(50, 1.05 ** (1 / PPY) - 1)
    expected = metrics.sharpe_ratio(returns, PPY, free)
    assert metrics.sharpe_ratio(returns, PPY, 0.05) == pytest.approx(expected, **CLOSE)


def test_risk_free_series_with_nan_is_a_data_error():
    free = np.array([0.0, NAN, NAN, 0.0])
    with pytest.raises(DataError, match="lacks 2 of 4 rows, the first is row 1"):
        metrics.sharpe_ratio(np.zeros(4), PPY, free)


def test_risk_free_series_of_another_length_is_a_data_error():
    with pytest.raises(DataError, match=r"shape \(3,\), the returns have 4 rows"):
        metrics.sharpe_ratio(np.zeros(4), PPY, np.zeros(3))


def test_three_dimensional_returns_are_a_data_error():
    with pytest.raises(DataError, match=r"found shape \(1, 1, 1\)"):
        metrics.cagr(np.zeros((1, 1, 1)), PPY)


def test_cagr_by_hand_and_after_a_total_loss():
    # 1.1 x 1.1 in two half-years
    assert metrics.cagr(np.array([0.1, 0.1]), 2) == pytest.approx(0.21, **CLOSE)
    assert metrics.cagr(np.array([0.1, -1.0, 0.5]), 2) == -1.0


def test_sortino_ratio_counts_all_rows_in_the_downside():
    # r = 0.02, -0.01, 0.02, 0.01: mean 0.01; downside sqrt(0.0001 / 4) = 0.005; sqrt(4) = 2
    returns = np.array([0.02, -0.01, 0.02, 0.01])
    assert metrics.sortino_ratio(returns, 4) == pytest.approx(4.0, **CLOSE)


def test_omega_profit_factor_and_hit_rate_by_hand():
    returns = np.array([0.03, -0.01, 0.0, 0.02, -0.01])
    assert metrics.omega_ratio(returns) == pytest.approx(2.5)
    assert metrics.omega_ratio(returns, 0.01) == pytest.approx(0.03 / 0.05)
    assert metrics.profit_factor(returns) == pytest.approx(2.5)
    assert metrics.hit_rate(returns) == 0.5  # 2 of the 4 rows that are not zero


def test_profit_factor_is_infinite_without_losses_and_nan_without_trades():
    assert metrics.profit_factor(np.array([0.1, 0.0])) == np.inf
    assert np.isnan(metrics.profit_factor(np.zeros(3)))
    assert np.isnan(metrics.omega_ratio(np.array([0.1, 0.0])))
    assert np.isnan(metrics.hit_rate(np.zeros(3)))


def test_value_at_risk_interpolates_and_tail_mean_is_below():
    returns = np.array([-0.05, -0.03, -0.01, 0.0, 0.02])
    # level 0.1: position 0.4 between -0.05 and -0.03
    assert metrics.value_at_risk(returns, 0.1) == pytest.approx(-0.042)
    assert metrics.conditional_value_at_risk(returns, 0.1) == pytest.approx(-0.05)
    assert metrics.conditional_value_at_risk(returns, 0.5) == pytest.approx(-0.03)


def test_alpha_beta_of_a_line_is_exact():
    market = sample(7, 100)
    alpha, beta = metrics.alpha_beta(2e-4 + 1.5 * market, market, PPY)
    assert beta == pytest.approx(1.5, **CLOSE)
    assert alpha == pytest.approx((1 + 2e-4) ** PPY - 1, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_alpha_beta_equals_empyrical_and_least_squares(seed):
    market, returns = sample(seed), sample(seed + 10)
    returns = returns + 0.7 * market
    free = 1.02 ** (1 / PPY) - 1
    alpha, beta = metrics.alpha_beta(returns, market, PPY, 0.02)
    expected = empyrical.alpha_beta_aligned(returns, market, free, annualization=PPY)
    assert (alpha, beta) == pytest.approx(tuple(expected), rel=1e-9)
    line = stats.linregress(market - free, returns - free)
    assert beta == pytest.approx(line.slope, rel=1e-9)
    assert alpha == pytest.approx((1 + line.intercept) ** PPY - 1, rel=1e-8)


def test_alpha_beta_of_a_constant_benchmark_is_nan():
    assert np.isnan(metrics.alpha_beta(sample(1, 10), np.full(10, 0.01), PPY)).all()


def test_alpha_beta_of_another_length_is_a_data_error():
    with pytest.raises(DataError, match=r"benchmark has shape \(3,\), the returns have 4 rows"):
        metrics.alpha_beta(np.zeros(4), np.zeros(3), PPY)


def test_information_ratio_equals_empyrical_times_root_ppy():
    market, returns = sample(1), sample(2)
    expected = empyrical.excess_sharpe(returns, market) * np.sqrt(PPY)
    assert metrics.information_ratio(returns, market, PPY) == pytest.approx(expected, **CLOSE)
    matrix = np.column_stack([returns, market])
    both = metrics.information_ratio(matrix, market, PPY)
    assert both[0] == pytest.approx(expected, **CLOSE)
    assert np.isnan(both[1])


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, -0.02, 1e-8])
def test_constant_series_have_no_risk(value):
    returns = np.full(50, value)
    assert metrics.annual_volatility(returns, PPY) == 0.0
    for figure in (metrics.skewness, metrics.kurtosis):
        assert np.isnan(figure(returns))
    assert np.isnan(metrics.sharpe_ratio(returns, PPY))


def test_interest_on_cash_has_no_sharpe_ratio_made_of_rounding():
    equity = 1e6 * (1.05 ** (1 / PPY)) ** np.arange(300)
    returns = equity[1:] / equity[:-1] - 1
    assert returns.std() > 0
    assert np.isnan(metrics.sharpe_ratio(returns, PPY))
    assert metrics.annual_volatility(returns, PPY) == 0.0


def test_one_row_has_growth_but_no_volatility():
    returns = np.array([0.02])
    assert metrics.cagr(returns, 1) == pytest.approx(0.02)
    assert np.isnan(metrics.annual_volatility(returns, PPY))
    assert np.isnan(metrics.sharpe_ratio(returns, PPY))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=40))
def test_figures_stay_inside_their_bounds(values):
    returns = np.array(values)
    assert -1.0 <= metrics.max_drawdown(returns) <= 0.0
    assert metrics.annual_volatility(returns, PPY) >= 0.0
    assert 0 <= metrics.drawdown_duration(returns) <= len(values)
    low, high = metrics.conditional_value_at_risk(returns), metrics.value_at_risk(returns)
    assert returns.min() - 1e-12 <= low <= high + 1e-12
    rate = metrics.hit_rate(returns)
    assert np.isnan(rate) or 0.0 <= rate <= 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_sharpe_ratio_does_not_depend_on_scale_or_order(seed, scale):
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.001, 0.01, 30)
    expected = metrics.sharpe_ratio(returns, PPY)
    assert metrics.sharpe_ratio(scale * rng.permutation(returns), PPY) == pytest.approx(
        expected, rel=1e-9
    )


def days(n, start="2020-01-01", freq="D"):
    return pd.date_range(start, periods=n, freq=freq, tz="UTC").as_unit("us")


def test_check_annualisation_returns_what_the_data_show():
    business = days(2600, freq="B")
    assert metrics.check_annualisation(business, 261) == pytest.approx(261, rel=0.005)
    assert metrics.check_annualisation(days(400), 365) == pytest.approx(365.2425)
    five_minutes = days(8640, freq="5min")
    assert metrics.check_annualisation(five_minutes, 105_120) == pytest.approx(105_189.84)


@pytest.mark.parametrize(
    ("ts", "claimed"),
    [
        (days(400), 252),
        (days(400), 346),
        (days(2600, freq="B"), 365),
        (days(8640, freq="5min"), 8760),
        (days(31), 252),
        (days(31), 346),  # a venue that never closes is judged however short the sample is
        (days(8640, freq="5min"), 99_000),
        (days(45, freq="B"), 365),
        (days(150, freq="B"), 240),  # 207 days of sessions: five days explain 2.4 % of 8.8 %
    ],
)
def test_check_annualisation_more_than_five_percent_apart_is_a_data_error(ts, claimed):
    with pytest.raises(DataError, match=f"bars_per_year says {claimed}"):
        metrics.check_annualisation(ts, claimed)


def test_check_annualisation_just_inside_five_percent_passes():
    assert metrics.check_annualisation(days(400), 348.5) > 0


def test_check_annualisation_says_when_a_sample_is_too_short_to_judge():
    # 19 sessions from a Monday to a Thursday: 18 steps in 24 days are 273.9 a year, 8.7 % above
    february = days(20, start="2020-02-03", freq="B")[:19]
    assert np.isnan(metrics.check_annualisation(february, 252))
    assert metrics.check_annualisation(february, 261) == pytest.approx(18 / 24 * 365.2425)
    assert np.isnan(metrics.check_annualisation(february[:1], 252))


@pytest.mark.parametrize("claimed", [273.9319 / 1.0499, 273.9319 / 0.9501])
def test_check_annualisation_judges_five_percent_below_a_year(claimed):
    february = days(20, start="2020-02-03", freq="B")[:19]
    assert metrics.check_annualisation(february, claimed) == pytest.approx(273.931875)
    beyond = claimed + np.sign(claimed - 273.9319) * 0.1
    assert np.isnan(metrics.check_annualisation(february, beyond))


def test_monthly_returns_compound_by_utc_month():
    ts = pd.DatetimeIndex(
        ["2020-11-30", "2020-12-01", "2020-12-31", "2021-02-01"], tz="UTC"
    ).as_unit("us")
    table = metrics.monthly_returns(np.array([0.1, 0.1, 0.2, -0.5]), ts)
    assert table.index.tolist() == [2020, 2021]
    assert table.index.name == "year"
    assert table.columns.tolist() == list(range(1, 13))
    assert table.loc[2020, [11, 12]].tolist() == pytest.approx([0.1, 0.32])
    assert table.loc[2021, 2] == pytest.approx(-0.5)
    assert table.notna().sum().sum() == 3


def test_monthly_returns_compound_to_the_total():
    returns, ts = sample(3, 800), days(800)
    table = metrics.monthly_returns(returns, ts).to_numpy()
    total = np.prod(1 + table[~np.isnan(table)]) - 1
    assert total == pytest.approx(metrics.total_return(returns), rel=1e-12)


def test_monthly_returns_without_rows_are_empty():
    assert metrics.monthly_returns(np.array([]), days(0)).shape == (0, 12)


def test_monthly_returns_of_another_length_is_a_data_error():
    with pytest.raises(DataError, match="expected one series of 3 returns"):
        metrics.monthly_returns(np.zeros(2), days(3))


def test_annual_returns_compound_by_utc_year():
    returns, ts = sample(3, 800), days(800)
    expected = pd.Series(1 + returns, ts).groupby(ts.year).prod() - 1
    found = metrics.annual_returns(returns, ts)
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_annual_returns_of_a_year_without_rows_are_nan():
    ts = pd.DatetimeIndex(["2020-12-31", "2022-01-01"], tz="UTC").as_unit("us")
    found = metrics.annual_returns(np.array([0.1, 0.2]), ts)
    assert found.tolist() == pytest.approx([0.1, np.nan, 0.2], nan_ok=True)


ALL_FIGURES = [
    *(figure for figure, _ in ORACLES.values()),
    metrics.profit_factor,
    metrics.hit_rate,
    metrics.drawdown_duration,
    metrics.underwater,
]


@pytest.mark.parametrize("figure", ALL_FIGURES)
def test_infinite_returns_are_refused(figure):
    with pytest.raises(DataError, match="1 returns are infinite, the first is in row 2"):
        figure(np.array([0.1, 0.2, -np.inf]))


@pytest.mark.parametrize("figure", ALL_FIGURES[:-1])
def test_permuting_strategies_permutes_figures(figure):
    matrix = np.column_stack([sample(seed, 40) for seed in range(4)])
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(figure(matrix[:, order]), figure(matrix)[order])
