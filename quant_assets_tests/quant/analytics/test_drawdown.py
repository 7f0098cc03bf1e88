"""Drawdown paths by hand, tables, and rolling Sharpe ratios."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import drawdown
from quant_assets.quant.analytics.metrics import sharpe_ratio

# equity 1 | 1.1, 0.99, 1.1, 1.21, 0.605, 0.605, 1.21, 1.1495
RETURNS = np.array([0.1, -0.1, 1 / 9, 0.1, -0.5, 0.0, 1.0, -0.05])
PATH = [0.0, -0.1, 0.0, 0.0, -0.5, -0.5, 0.0, -0.05]
TS = pd.date_range("2020-01-01", periods=8, freq="D", tz="UTC").as_unit("us")


def test_underwater_by_hand():
    assert drawdown.underwater(RETURNS).tolist() == pytest.approx(PATH, abs=1e-15)
    assert drawdown.underwater(RETURNS)[2] == 0.0


def test_underwater_of_a_matrix_keeps_shape_and_skips_nan_rows():
    holes = np.insert(RETURNS, 2, np.nan)
    path = drawdown.underwater(np.column_stack([holes, holes]))
    assert path.shape == (9, 2)
    assert np.isnan(path[2]).all()
    assert np.delete(path[:, 1], 2).tolist() == pytest.approx(PATH, abs=1e-15)


def test_loss_on_the_first_row_is_under_water():
    assert drawdown.underwater(np.array([-0.2, 0.1])).tolist() == pytest.approx([-0.2, -0.12])
    assert drawdown.max_drawdown(np.array([-0.2, 0.1])) == pytest.approx(-0.2)


def test_recovery_up_to_rounding_is_a_recovery():
    returns = np.array([-0.13, 1 / 0.87 - 1, 0.0])
    assert np.cumprod(1 + returns)[-1] < 1.0
    assert drawdown.underwater(returns).tolist() == pytest.approx([-0.13, 0.0, 0.0], abs=0)
    assert drawdown.drawdown_duration(returns) == 1


def test_max_drawdown_without_a_loss_is_zero():
    assert drawdown.max_drawdown(np.array([0.1, 0.0, 0.2])) == 0.0


def test_max_drawdown_of_a_total_loss_is_minus_one():
    assert drawdown.max_drawdown(np.array([0.1, -1.0, 0.2])) == -1.0


@pytest.mark.parametrize(
    ("returns", "rows"),
    [(RETURNS, 2), ([0.1, 0.2], 0), ([-0.1, -0.1, -0.1], 3), ([], 0), ([0.1, -0.1, 0.0, 0.01], 3)],
)
def test_drawdown_duration_in_rows(returns, rows):
    assert drawdown.drawdown_duration(np.array(returns)) == rows


def test_drawdown_table_lists_the_deepest_first_and_leaves_the_open_one_without_recovery():
    table = drawdown.drawdown_table(RETURNS, TS)
    assert table["depth"].tolist() == pytest.approx([-0.5, -0.1, -0.05])
    assert table["start"].tolist() == [TS[4], TS[1], TS[7]]
    assert table["trough"].tolist() == [TS[4], TS[1], TS[7]]
    assert table["recovery"].tolist()[:2] == [TS[6], TS[2]]
    assert pd.isna(table["recovery"].iloc[2])
    assert table["length"].tolist() == [2, 1, 1]
    assert all(str(table[name].dtype) == "datetime64[us, UTC]" for name in table.columns[:3])


def test_drawdown_table_keeps_the_top_and_skips_nan_rows():
    holes, ts = np.insert(RETURNS, 0, np.nan), TS.insert(0, TS[0] - pd.Timedelta(days=1))
    table = drawdown.drawdown_table(holes, ts.as_unit("us"), top=1)
    assert (len(table), table["start"].iloc[0]) == (1, TS[4])


@pytest.mark.parametrize(("returns", "n"), [(np.array([]), 0), (np.array([0.1, 0.2]), 2)])
def test_drawdown_table_without_a_drawdown_is_empty(returns, n):
    table = drawdown.drawdown_table(returns, TS[:n])
    assert table.shape == (0, 5)
    assert str(table["recovery"].dtype) == "datetime64[us, UTC]"


def test_drawdown_table_of_another_length_is_a_data_error():
    with pytest.raises(DataError, match=r"expected one series of 8 returns.*shape \(3,\)"):
        drawdown.drawdown_table(np.zeros(3), TS)


@pytest.mark.parametrize("cells", [20, 2_000_000])
def test_rolling_sharpe_equals_the_sharpe_of_each_window(monkeypatch, cells):
    monkeypatch.setattr(drawdown, "ROLLING_CELLS", cells)
    returns = np.random.default_rng(0).normal(0.001, 0.01, (60, 2))
    rolled = drawdown.rolling_sharpe(returns, 21, 252, 0.02)
    assert np.isnan(rolled[:20]).all()
    expected = [sharpe_ratio(returns[t - 20 : t + 1], 252, 0.02) for t in range(20, 60)]
    np.testing.assert_allclose(rolled[20:], expected, rtol=1e-9)
    alone = drawdown.rolling_sharpe(returns[:, 0], 21, 252, 0.02)
    np.testing.assert_allclose(alone, rolled[:, 0], rtol=1e-12)


def test_rolling_sharpe_is_nan_where_a_row_is_missing_or_constant():
    returns = np.random.default_rng(0).normal(0.001, 0.01, 30)
    returns[10] = np.nan
    returns[20:25] = 0.0
    rolled = drawdown.rolling_sharpe(returns, 5, 252)
    assert np.flatnonzero(np.isnan(rolled)).tolist() == [0, 1, 2, 3, *range(10, 15), 24]


def test_rolling_sharpe_of_a_short_series_is_all_nan():
    assert np.isnan(drawdown.rolling_sharpe(np.array([0.1, 0.2]), 5, 252)).all()


def test_rolling_sharpe_window_of_one_row_is_a_data_error():
    with pytest.raises(DataError, match="found 1"):
        drawdown.rolling_sharpe(RETURNS, 1, 252)
