"""The performance table against plain numpy, empyrical, the single figures, and at its edges."""

from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import metrics, totals
from quant_assets.quant.analytics.table import metric_definitions, performance_table
from quant_assets_tests.quant.analytics.plain_figures import plain_figures

pytestmark = pytest.mark.slow

PPY, RATE = 252, 0.03
DAILY_RATE = 1.03 ** (1 / PPY) - 1
N = 700
TS = pd.date_range("2019-02-11", periods=N, freq="B", tz="UTC").as_unit("us")
RNG = np.random.default_rng(0)
MARKET = RNG.standard_t(5, N) * 0.008 + 3e-4
MATRIX = 0.6 * MARKET[:, None] + RNG.standard_t(4, (N, 5)) * 0.01 + 2e-4
MATRIX[RNG.random((N, 5)) < 0.05] = 0.0


def table(returns=MATRIX, **changes):
    inputs = {"periods_per_year": PPY, "risk_free": RATE, "benchmark": MARKET, "ts": TS}
    return performance_table(returns, **inputs | changes)


def plain(returns, ts=TS, market=MARKET, rf=DAILY_RATE):
    return plain_figures(returns, PPY, rf=rf, market=market, ts=ts)


def test_table_has_at_least_sixty_figures_with_unit_and_formula():
    definitions = metric_definitions()
    assert list(table().columns) == definitions.index.tolist()
    assert len(definitions) >= 60
    assert (definitions[["unit", "formula"]] != "").all().all()


def test_the_page_on_metrics_lists_every_figure():
    page = Path(__file__).parents[3] / "docs" / "methods" / "metrics.md"
    rows = [
        f"| `{name}` | {row.unit} | {row.formula} |"
        for name, row in metric_definitions().iterrows()
    ]
    assert "\n".join(rows) in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("column", [0, 3])
def test_every_figure_equals_its_plain_definition(column):
    ours, expected = table().loc[column], plain(MATRIX[:, column])
    assert set(ours.index) == set(expected)
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-14), name


def test_figures_of_a_strategy_with_missing_rows_are_those_of_its_known_rows():
    known = np.ones(N, dtype=bool)
    known[:40] = known[-25:] = False
    known[[100, 101, 350]] = False
    holed = np.where(known, MATRIX[:, 1], np.nan)
    ours = table(np.column_stack([MATRIX[:, 0], holed])).loc[1]
    expected = plain(holed[known], TS[known], MARKET[known]) | {"n_missing": 3}
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-14), name


def test_benchmark_figures_are_over_the_rows_where_both_are_known():
    market = MARKET.copy()
    market[200:230] = np.nan
    both = ~np.isnan(market)
    names = ["beta", "alpha", "up_capture", "excess_cagr", "batting_average", "tracking_error"]
    ours = table(MATRIX[:, 2], benchmark=market, metrics=names).loc[0]
    expected = plain(MATRIX[both, 2], TS[both], market[both])
    assert ours.tolist() == pytest.approx([expected[name] for name in names], rel=1e-9)


def test_risk_free_series_is_taken_row_by_row():
    rates = np.linspace(0.0, 2e-4, N)
    ours, expected = table(MATRIX[:, 0], risk_free=rates).loc[0], plain(MATRIX[:, 0], rf=rates)
    for name in (
        "sharpe_ratio",
        "beta",
        "alpha",
        "treynor_ratio",
        "modigliani",
        "kelly_continuous",
    ):
        assert ours[name] == pytest.approx(expected[name], rel=1e-9), name


EMPYRICAL = {
    "total_return": empyrical.cum_returns_final,
    "cagr": lambda r: empyrical.cagr(r, annualization=PPY),
    "annual_volatility": lambda r: empyrical.annual_volatility(r, annualization=PPY),
    "sharpe_ratio": lambda r: empyrical.sharpe_ratio(r, DAILY_RATE, annualization=PPY),
    "sortino_ratio": lambda r: empyrical.sortino_ratio(r, annualization=PPY),
    "downside_deviation": lambda r: empyrical.downside_risk(r, annualization=PPY),
    "max_drawdown": empyrical.max_drawdown,
    "calmar_ratio": lambda r: empyrical.calmar_ratio(r, annualization=PPY),
    "omega_ratio": empyrical.omega_ratio,
    "stability": empyrical.stability_of_timeseries,
    "tail_ratio": empyrical.tail_ratio,
    "value_at_risk": empyrical.value_at_risk,
    "conditional_value_at_risk": empyrical.conditional_value_at_risk,
    "alpha": lambda r: empyrical.alpha_aligned(r, MARKET, DAILY_RATE, annualization=PPY),
    "beta": lambda r: empyrical.beta_aligned(r, MARKET, DAILY_RATE),
    "information_ratio": lambda r: empyrical.excess_sharpe(r, MARKET) * np.sqrt(PPY),
    "up_capture": lambda r: empyrical.up_capture(r, MARKET, period="daily"),
    "down_capture": lambda r: empyrical.down_capture(r, MARKET, period="daily"),
    "capture_ratio": lambda r: empyrical.up_down_capture(r, MARKET, period="daily"),
}


@pytest.mark.parametrize("name", EMPYRICAL)
def test_figure_equals_empyrical(name):
    ours = table(metrics=[name])[name]
    expected = [float(EMPYRICAL[name](column)) for column in MATRIX.T]
    assert ours.tolist() == pytest.approx(expected, rel=1e-9)


SINGLE = {
    "total_return": metrics.total_return,
    "cagr": lambda r: metrics.cagr(r, PPY),
    "annual_volatility": lambda r: metrics.annual_volatility(r, PPY),
    "sharpe_ratio": lambda r: metrics.sharpe_ratio(r, PPY, RATE),
    "sortino_ratio": lambda r: metrics.sortino_ratio(r, PPY),
    "max_drawdown": metrics.max_drawdown,
    "drawdown_duration": metrics.drawdown_duration,
    "calmar_ratio": lambda r: metrics.calmar_ratio(r, PPY),
    "omega_ratio": metrics.omega_ratio,
    "profit_factor": metrics.profit_factor,
    "hit_rate": metrics.hit_rate,
    "tail_ratio": metrics.tail_ratio,
    "value_at_risk": metrics.value_at_risk,
    "conditional_value_at_risk": metrics.conditional_value_at_risk,
    "skewness": metrics.skewness,
    "kurtosis": metrics.kurtosis,
}
EDGES = {
    "constant": np.full(50, 0.001),
    "zeros": np.zeros(20),
    "one row": np.array([0.02]),
    "one loss": np.array([-0.02]),
    "no rows": np.array([]),
    "all NaN": np.full(7, np.nan),
    "NaN in the middle": np.r_[MATRIX[:30, 0], np.nan, MATRIX[30:60, 0]],
    "only gains": np.abs(MATRIX[:40, 1]) + 1e-3,
    "total loss": np.array([0.1, -1.0, 0.5, 0.1]),
    "large": np.clip(MATRIX[:60, 2] * 40.0, -0.9, None),
    "1e6": np.abs(MATRIX[:60, 3]) * 1e6,
    "1e-8": MATRIX[:, 4] * 1e-6,
}


@pytest.mark.parametrize("case", EDGES)
def test_table_at_the_edges_agrees_with_the_single_figures(case):
    returns = EDGES[case]
    ours = performance_table(returns, periods_per_year=PPY, risk_free=RATE).loc[0]
    # the single figures compound 1 + r, which has only eight digits left of returns of 1e-8
    near = {"rel": 1e-7 if case == "1e-8" else 1e-9, "abs": 1e-15, "nan_ok": True}
    for name, figure in SINGLE.items():
        assert ours[name] == pytest.approx(figure(returns), **near), name


def test_tiny_returns_keep_their_digits():
    returns = MATRIX[:, 4] * 1e-6
    exact = returns.astype(np.longdouble)
    wealth = np.concatenate([[np.longdouble(1)], np.cumprod(1 + exact)])
    under = wealth / np.maximum.accumulate(wealth) - 1
    ours = performance_table(returns, periods_per_year=PPY).loc[0]
    assert ours["total_return"] == pytest.approx(float(wealth[-1] - 1), rel=1e-10)
    assert ours["max_drawdown"] == pytest.approx(float(under.min()), rel=1e-9)


def test_a_loss_of_more_than_everything_is_a_total_loss():
    ours = performance_table(np.array([0.1, -1.5, 0.1]), periods_per_year=PPY).loc[0]
    assert (ours["total_return"], ours["cagr"]) == (-1.0, -1.0)


@pytest.mark.parametrize("case", EDGES)
def test_edges_next_to_a_benchmark_and_a_calendar_raise_nothing(case):
    returns = EDGES[case]
    ts = TS[: len(returns)]
    found = table(returns, benchmark=MARKET[: len(returns)], ts=ts)
    assert found.shape == (1, len(metric_definitions()))


def test_series_and_column_agree_to_the_bit_in_every_layout():
    names = list(metric_definitions().index)
    whole = table()
    for other in (np.asfortranarray(MATRIX), MATRIX[:, ::-1][:, ::-1], MATRIX.tolist()):
        pd.testing.assert_frame_equal(table(other), whole, check_exact=True)
    alone = table(MATRIX[:, 3]).loc[0, names]
    np.testing.assert_array_equal(alone.to_numpy(), whole.loc[3, names].to_numpy())


def test_permuting_strategies_permutes_rows():
    order = [3, 0, 4, 2, 1]
    np.testing.assert_array_equal(table(MATRIX[:, order]), table().loc[order])


def test_blocks_of_strategies_do_not_show(monkeypatch):
    wide = np.tile(MATRIX, 5)
    whole = table(wide)
    monkeypatch.setattr(totals, "BLOCK_BYTES", 1)
    pd.testing.assert_frame_equal(table(wide), whole, check_exact=True)


def test_frame_names_the_rows_and_brings_its_times():
    frame = pd.DataFrame(MATRIX[:, :2], index=TS, columns=["one", "two"])
    found = performance_table(frame, periods_per_year=PPY, metrics=["best_year", "cagr"])
    assert found.index.tolist() == ["one", "two"]
    assert found["best_year"].notna().all()
    assert found.columns.tolist() == ["best_year", "cagr"]


def test_inputs_are_not_changed_and_may_be_read_only():
    returns = MATRIX.copy()
    returns.setflags(write=False)
    table(returns)
    np.testing.assert_array_equal(returns, MATRIX)


def test_a_wrong_annualisation_is_an_error_with_both_figures():
    with pytest.raises(DataError, match=r"26\d\.\d bars per year .* says 365"):
        table(periods_per_year=365)


def test_infinite_returns_are_refused_by_name():
    frame = pd.DataFrame({"sound": [0.1, 0.2], "broken": [0.1, np.inf]})
    with pytest.raises(
        DataError, match="1 strategies have infinite returns, the first is 'broken'"
    ):
        performance_table(frame, periods_per_year=PPY)


def test_unknown_figures_and_missing_inputs_are_named():
    with pytest.raises(DataError, match=r"no figures \['sharp'\]; known: n_rows"):
        table(metrics=["sharp"])
    with pytest.raises(DataError, match=r"not given: \{'beta': \['benchmark'\]\}"):
        performance_table(MATRIX, periods_per_year=PPY, metrics=["beta"])
    with pytest.raises(DataError, match=r"'best_month': \['months'\]"):
        performance_table(MATRIX, periods_per_year=PPY, metrics=["best_month"])


def test_times_that_do_not_fit_are_an_error():
    with pytest.raises(DataError, match="sorted times of the 700 rows of returns, found 699"):
        table(ts=TS[1:])
    with pytest.raises(DataError, match="sorted: False"):
        table(ts=TS[::-1])


def test_benchmark_of_another_length_is_an_error():
    with pytest.raises(DataError, match=r"benchmark has shape \(3,\)"):
        table(benchmark=np.zeros(3))


def test_table_of_no_strategies_is_empty():
    assert performance_table(np.empty((5, 0)), periods_per_year=PPY).shape[0] == 0


def test_a_month_that_ends_where_it_began_is_no_gain():
    ts = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC").as_unit("us")
    returns = np.zeros(60)
    returns[[3, 9]] = [-0.3, 1 / 0.7 - 1]  # back at the old price, up to rounding
    returns[40] = 0.01
    found = performance_table(returns, periods_per_year=365, ts=ts).loc[0]
    assert found["positive_months"] == 0.5
    assert found["current_drawdown"] == 0.0


def test_a_line_leaves_no_residual_made_of_rounding():
    found = table(np.column_stack([1e-4 + 1.5 * MARKET, MATRIX[:, 0]]))
    assert found.loc[0, "residual_volatility"] == 0.0
    assert np.isnan(found.loc[0, ["appraisal_ratio", "alpha_t_value"]].astype(float)).all()
    assert found.loc[1, "residual_volatility"] > 0.0


def test_a_small_residual_keeps_its_digits():
    noise = RNG.normal(0.0, 1e-9, N)
    slope, intercept = np.polyfit(MARKET, noise, 1)
    left = noise - intercept - slope * MARKET
    found = table(MARKET + noise, risk_free=0.0).loc[0, "residual_volatility"]
    expected = np.sqrt(left @ left / (N - 2) * PPY)
    assert found == pytest.approx(expected, rel=1e-6)  # of returns with 1e-18 rounding
