import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.cost_attribution import cost_contributions, equity_contributions
from quant_assets.quant.analytics.trades import trade_statistics
from quant_assets_tests.quant.analytics.accounts import equity
from quant_assets_tests.quant.simulation.markets import bars, context, holdings, simulate, weights

RNG = np.random.default_rng(0)
NET = RNG.normal(1e-3, 0.02, 80)


def test_costs_of_one_period_are_what_was_paid():
    found = cost_contributions([0.01], {"fees": [-0.002], "funding": [0.001]})
    assert found == pytest.approx({"before_costs": 0.011, "fees": -0.002, "funding": 0.001})


def test_parts_sum_to_the_compounded_return():
    costs = {name: -np.abs(RNG.normal(0, 1e-3, 80)) for name in ("fees", "slippage", "borrow")}
    costs["funding"] = RNG.normal(0, 1e-3, 80)
    found = cost_contributions(NET, costs)
    assert sum(found.values()) == pytest.approx(np.prod(1 + NET) - 1, rel=1e-12)
    assert found["fees"] < 0.0
    assert list(found) == ["before_costs", *costs]


def test_equal_costs_share_alike_and_no_cost_is_zero():
    half = np.full(80, -5e-4)
    found = cost_contributions(NET, {"fees": half, "slippage": half, "funding": np.zeros(80)})
    assert found["fees"] == pytest.approx(found["slippage"], rel=1e-14)
    assert found["funding"] == 0.0


def test_equity_contributions_divide_by_the_equity_before_the_bar():
    # equity 1000 after 25 %: 800 before; fees 2, slippage 3, funding paid 1
    account = equity({"a": [0.25], "b": [0.0]})
    found = equity_contributions(account)
    assert found.index.tolist() == ["a", "b"]
    expected = [0.25 + 6 / 800, -2 / 800, -3 / 800, -1 / 800, 0.25]
    names = ["before_costs", "fees", "slippage", "funding", "total_return"]
    assert found.loc["a", names].tolist() == pytest.approx(expected)
    assert found.columns.tolist() == names


def test_equity_contributions_sum_to_the_total_return_of_every_entrant():
    account = equity({"a": NET.tolist(), "b": (NET[::-1] * 0.5).tolist()})
    found = equity_contributions(account)
    parts = found.drop(columns="total_return").sum(axis=1)
    np.testing.assert_allclose(parts, found["total_return"], rtol=1e-12)
    assert found.loc["a", "total_return"] == pytest.approx(np.prod(1 + NET) - 1)


def test_equity_with_borrow_costs_lists_them():
    account = equity({"a": [0.1, 0.1]}).assign(borrow=4.0)
    found = equity_contributions(account)
    assert found.loc["a", "borrow"] < 0.0
    assert found.drop(columns="total_return").sum(axis=1)["a"] == pytest.approx(0.21)


def test_equity_without_rows_gives_no_rows():
    assert equity_contributions(equity({"a": [0.1]}).iloc[:0]).empty


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"fees": [0.1]}, "fees must be one number for each of 2 periods, found shape"),
        ({"fees": [0.1, np.nan]}, "with 1 NaN"),
        ({"before_costs": [0.0, 0.0]}, "cannot be called"),
    ],
)
def test_costs_that_do_not_fit_are_refused(costs, message):
    with pytest.raises(DataError, match=message):
        cost_contributions([0.01, 0.02], costs)


@pytest.mark.slow
def test_a_simulated_account_without_funding_earned_its_gross_returns_before_costs():
    prices = bars({"A": [10, 11, 12], "B": [20, 21, 19]}, {"A": [11, 12, 12], "B": [21, 19, 18]})
    before = holdings({"e": {"USDT": (100, 1, 1), "A": (60, 8, 10), "B": (15, 25, 20)}})
    wanted = weights({"e": {"A": 0.3, "B": 0.6}})
    result = simulate(context(fee_bps=100.0, slippage_bps=200.0), wanted, prices, before=before)

    account = result["equity"]
    found = equity_contributions(account).loc["e"]
    net, gross = account["returns"].to_numpy(), account["gross_returns"].to_numpy()
    total = np.prod(1 + net) - 1
    scale = np.log1p(net) / net / (np.log1p(total) / total)  # each period's factor
    paid = account[["fees", "slippage"]].to_numpy()[0] / 1000.0  # all on the first bar
    assert found["before_costs"] == pytest.approx(scale @ gross, rel=1e-12)
    assert found[["fees", "slippage"]].tolist() == pytest.approx((-paid * scale[0]).tolist())
    assert found["funding"] == 0.0
    assert found["total_return"] == pytest.approx(account["equity"].iloc[-1] / 1000.0 - 1.0)
    trade = trade_statistics(result["trades"], ["symbol", "side"])
    assert trade.index.tolist() == [("A", "long")]
    assert trade["pnl"].iloc[0] == result["trades"]["pnl"].iloc[0] > 0.0
