"""Drawdown paths by hand, and tables."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics import drawdown

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
    assert table["peak"].tolist() == [TS[3], TS[0], TS[6]]
    assert table["rows_down"].tolist() == [1, 1, 1]
    assert table["rows_up"].tolist() == [2, 1, -1]
    assert all(str(table[name].dtype) == "datetime64[us, UTC]" for name in table.columns[:3])


def test_drawdown_table_keeps_the_top_and_skips_nan_rows():
    holes, ts = np.insert(RETURNS, 0, np.nan), TS.insert(0, TS[0] - pd.Timedelta(days=1))
    table = drawdown.drawdown_table(holes, ts.as_unit("us"), top=1)
    assert (len(table), table["start"].iloc[0]) == (1, TS[4])


@pytest.mark.parametrize(("returns", "n"), [(np.array([]), 0), (np.array([0.1, 0.2]), 2)])
def test_drawdown_table_without_a_drawdown_is_empty(returns, n):
    table = drawdown.drawdown_table(returns, TS[:n])
    assert table.shape == (0, 8)
    assert str(table["recovery"].dtype) == "datetime64[us, UTC]"


def test_drawdown_table_of_another_length_is_a_data_error():
    with pytest.raises(DataError, match=r"expected one series of 8 returns.*shape \(3,\)"):
        drawdown.drawdown_table(np.zeros(3), TS)


def test_drawdown_table_from_the_first_row_has_no_peak():
    table = drawdown.drawdown_table(np.array([-0.2, -0.1, 0.5]), TS[:3])
    assert pd.isna(table["peak"].iloc[0])
    assert table[["rows_down", "rows_up"]].iloc[0].tolist() == [2, 1]


@pytest.mark.slow
def test_drawdown_table_equals_quantstats():
    import quantstats.stats as peer  # two seconds of import

    returns = np.random.default_rng(5).normal(5e-4, 0.01, 600)
    ts = pd.date_range("2020-01-01", periods=600, freq="D", tz="UTC").as_unit("us")
    ours = drawdown.drawdown_table(returns, ts, top=1000).sort_values("start", ignore_index=True)
    wealth = pd.Series(np.cumprod(1 + returns), ts)
    theirs = peer.drawdown_details(wealth / np.maximum(wealth.cummax(), 1.0) - 1)
    assert len(ours) == len(theirs) > 10
    assert ours["start"].dt.strftime("%Y-%m-%d").tolist() == theirs["start"].tolist()
    assert ours["trough"].dt.strftime("%Y-%m-%d").tolist() == theirs["valley"].tolist()
    np.testing.assert_allclose(ours["depth"] * 100, theirs["max drawdown"], rtol=1e-9)
    assert ours["length"].tolist() == theirs["days"].tolist()  # daily rows: days are rows
